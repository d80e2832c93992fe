// Rows of a form that can be added and removed in place. Without script, empty rows and a button that asks for more do.
(() => {
  const several = (event) => {
    const box = event.target.closest("[data-several]");
    if (!box || event.target !== box.lastElementChild || !event.target.value) return;
    const next = event.target.cloneNode();
    next.removeAttribute("id");
    next.value = "";
    box.append(next);
  };
  document.addEventListener("input", several);

  const addLine = (event) => {
    const button = event.target.closest("[data-add-line]");
    const template = document.querySelector("template[data-line]");
    if (!button || !template) return;
    event.preventDefault();
    const total = document.querySelector("[name$='-TOTAL_FORMS']");
    const holder = document.createElement("template");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
    const row = holder.content.firstElementChild;
    document.querySelector("[data-lines]").append(row);
    total.value = String(Number(total.value) + 1);
    htmx.process(row);
    row.querySelector("input:not([type=hidden])").focus();
  };
  document.addEventListener("click", addLine);
})();
