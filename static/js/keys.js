// Keyboard: "/" searches, Ctrl-K opens the palette, j and k walk the rows, arrows walk hits and menus.
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const palette = find("#palette");

  const typing = (node) => node.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");

  const openPalette = () => {
    if (!palette || palette.open) return;
    palette.showModal();
    const input = find("input", palette);
    input.select();
    htmx.trigger(input, "palette:open");
  };

  const step = (items, current, by) => {
    if (!items.length) return;
    const at = items.indexOf(current);
    const next = at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(Math.max(at + by, 0), items.length - 1);
    items[next].focus();
  };

  const walkHits = (event) => {
    const box = event.target.closest("[data-hits]");
    if (!box || !["ArrowDown", "ArrowUp"].includes(event.key)) return false;
    event.preventDefault();
    const input = find("input", box);
    const hits = all("a.hit", box);
    if (event.key === "ArrowUp" && event.target === hits[0]) input.focus();
    else step(hits, event.target, event.key === "ArrowDown" ? 1 : -1);
    return true;
  };

  const walkMenu = (event) => {
    const menu = event.target.closest("details.menu[open]");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return false;
    event.preventDefault();
    step(all("a, button", menu), event.target, event.key === "ArrowDown" ? 1 : -1);
    return true;
  };

  const walkRows = (event) => {
    const rows = all("[data-rows] a.who-n, [data-rows] a[data-row]");
    step(rows, document.activeElement, event.key === "j" ? 1 : -1);
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (walkHits(event) || walkMenu(event)) return;
    if (event.key === "Escape" && palette?.open) {
      event.preventDefault(); // a search field would only empty itself
      palette.close();
      return;
    }
    if (event.key === "Escape" && event.target.matches("[data-hotkey='/']")) {
      find("#search-hits").replaceChildren();
      event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || palette?.open) return;
    if (event.key === "/") {
      event.preventDefault();
      const input = find("[data-hotkey='/']");
      if (input?.offsetParent) input.focus();
      else openPalette();
    } else if (event.key === "e") find("[data-edit]")?.click();
    else if (event.key === "j" || event.key === "k") walkRows(event);
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (opener) {
      event.preventDefault();
      openPalette();
    } else if (event.target === palette) palette.close();
  });

  // Enter in the palette follows the first hit, once the hits are those of what stands in the field; without a hit
  // it searches the customers.
  const form = palette && find("form", palette);
  const follow = () => {
    const hit = find("a.hit", palette);
    if (hit) hit.click();
    else form.submit();
  };
  const isAnswered = () => find("[data-answer]", palette)?.dataset.answer === find("input", form).value.trim();
  let isWaiting = false;
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    isWaiting = !isAnswered();
    if (!isWaiting) follow();
  });
  form?.addEventListener("input", () => {
    isWaiting = false;
  });
  palette?.addEventListener("htmx:afterSettle", () => {
    if (isWaiting && isAnswered()) follow();
  });
})();
