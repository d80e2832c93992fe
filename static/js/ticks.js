// A box that ticks all rows of its form, and "x" for the row that has the focus.
(() => {
  const boxes = (form) => [...form.querySelectorAll("tbody input[type=checkbox]")];

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-ticks]");
    if (!form) return;
    const all = form.querySelector("[data-tick-all]");
    if (event.target === all) for (const box of boxes(form)) box.checked = all.checked;
    else all.checked = boxes(form).every((box) => box.checked);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest("[data-ticks] tbody tr");
    if (row && !event.target.matches("input:not([type=checkbox])")) row.querySelector("input[type=checkbox]")?.click();
  });
})();
