// What every page needs: the CSRF header, messages when a request fails, menus that close.
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const words = find("#toasts")?.dataset ?? {};
  const SAFE = new Set(["get", "head", "options", "trace"]);

  document.addEventListener("htmx:configRequest", (event) => {
    if (!SAFE.has(event.detail.verb)) {
      event.detail.headers["X-CSRFToken"] = find("meta[name=csrf-token]").content;
    }
  });

  const toast = (text) => {
    const box = document.createElement("div");
    box.className = "apptoast";
    box.textContent = text;
    find("#toasts").replaceChildren(box);
    setTimeout(() => box.remove(), 8000);
  };

  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    toast(status === 403 ? words.forbidden : words.failed.replace("%s", status));
  });
  document.addEventListener("htmx:sendError", () => toast(words.offline));

  // A partial that was redirected to an account page: the session has ended, or a second factor is wanted.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL.includes("/accounts/")) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  for (const [name, busy] of [["htmx:beforeRequest", "true"], ["htmx:afterRequest", "false"]]) {
    document.addEventListener(name, (event) => event.detail.target?.setAttribute("aria-busy", busy));
  }

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    // A pane that is a link target without script: with script it opens and closes in place.
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      const open = find(`#${opener.dataset.open}`).classList.toggle("is-open");
      opener.setAttribute("aria-expanded", String(open));
    }
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(dismiss.dataset.dismiss).remove();
  });

  // The sidebar is a link target without script; with script it keeps the address and the focus.
  const side = find("#side");
  const button = find("[data-side-toggle]");
  const showSide = (open) => {
    side.classList.toggle("is-open", open);
    button.setAttribute("aria-expanded", String(open));
    (open ? find("a", side) : button).focus();
  };
  if (side && button) {
    button.setAttribute("role", "button");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", (event) => {
      event.preventDefault();
      showSide(!side.classList.contains("is-open"));
    });
    find(".scrim").addEventListener("click", (event) => {
      event.preventDefault();
      showSide(false);
    });
  }

  // On a phone the tab of this page may lie beyond the edge of its row.
  for (const tab of document.querySelectorAll(".views > [aria-current]")) {
    const row = tab.parentElement;
    const beyond = tab.getBoundingClientRect().right - row.getBoundingClientRect().right;
    if (beyond > 0) row.scrollLeft += beyond;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = find("details.menu[open]");
    if (menu) {
      menu.open = false;
      find("summary", menu).focus();
    } else if (side?.classList.contains("is-open")) showSide(false);
  });
})();
