// A first guess where it costs nothing: the time zone of the browser, as long as nobody chose one.
for (const form of document.querySelectorAll("[data-suggest-zone]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const select = form.querySelector("select[name=time_zone]:not(:disabled)");
  const known = select && [...select.options].some((option) => option.value === zone);
  if (known && select.value === "UTC" && !form.querySelector(".errorlist")) select.value = zone;
}
