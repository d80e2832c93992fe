// Sending a large file: refused here when it is too large, and a bar while it goes. Without script the form just posts.
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const file = form.querySelector("input[type=file]");
  const bar = form.querySelector(".uploading");
  const error = form.querySelector("[data-error]");
  const button = form.querySelector("[type=submit]");

  const say = (text) => {
    error.textContent = text;
    error.hidden = false;
    bar.hidden = true;
    button.disabled = false;
  };

  const show = (percent) => {
    bar.querySelector(".meter").setAttribute("aria-valuenow", percent);
    bar.querySelector(".meter-fill").setAttribute("width", `${percent}%`);
    bar.querySelector("[data-percent]").textContent = `${percent} %`;
  };

  form.addEventListener("submit", (event) => {
    const chosen = file.files[0];
    if (!chosen) return;
    event.preventDefault();
    if (chosen.size > Number(file.dataset.mostBytes)) {
      say(form.dataset.tooLarge);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (sent) => show(Math.floor((100 * sent.loaded) / sent.total)));
    request.addEventListener("error", () => say(form.dataset.broken));
    request.addEventListener("load", () => {
      if (request.responseURL !== form.action) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const said = page.querySelector(".errorlist");
      say(said ? said.textContent.trim() : form.dataset.broken);
    });
    error.hidden = true;
    bar.hidden = false;
    button.disabled = true;
    show(0);
    request.send(new FormData(form));
  });
})();
