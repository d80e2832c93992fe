// A slider beside each number of a lever. The number is what is sent; without script it stands alone.
(() => {
  const zero = document.createElement("datalist"); // a mark where nothing is moved
  zero.id = "lever-zero";
  zero.append(new Option("", "0"));
  document.body.append(zero);

  for (const number of document.querySelectorAll("input[data-lever]")) {
    const slider = document.createElement("input");
    slider.type = "range";
    slider.min = number.min;
    slider.max = number.max;
    slider.step = "1";
    slider.setAttribute("list", zero.id);
    slider.value = number.value || "0";
    slider.setAttribute("aria-label", number.labels[0]?.textContent.trim() ?? "");
    const say = () => slider.setAttribute("aria-valuetext", `${slider.value} %`);
    say();
    slider.addEventListener("input", () => {
      number.value = slider.value;
      say();
    });
    number.addEventListener("input", () => {
      slider.value = number.value || "0";
      say();
    });
    number.before(slider);
  }
})();
