// A button beside a text that copies it. Without script the text is there to be selected.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.querySelector(button.dataset.copy);
    if (source.select) source.addEventListener("focus", () => source.select());
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
      button.querySelector("span").textContent = button.dataset.copied;
    });
  }
})();
