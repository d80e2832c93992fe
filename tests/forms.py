"""What a browser would send of a page's form: every input as it stands in the HTML, with some written over."""

from html.parser import HTMLParser

SKIPPED = {"submit", "button", "reset"}


class FormReader(HTMLParser):
    """The inputs of the first form with `class="form"`, outside of templates for rows to come."""

    def __init__(self):
        super().__init__()
        self.found, self.select, self.area = {}, None, None
        self.is_inside = self.is_over = self.in_template = False

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "form" and not self.is_over and "form" in (told.get("class") or "").split():
            self.is_inside = True
        self.in_template = self.in_template or tag == "template"
        if self.is_inside and not self.in_template:
            self.read(tag, told)

    def read(self, tag, told):
        if tag == "input" and told.get("type") not in SKIPPED and "name" in told:
            is_tick = told.get("type") in ("checkbox", "radio")
            if not is_tick or "checked" in told:
                self.found.setdefault(told["name"], []).append(told.get("value") or ("on" if is_tick else ""))
        elif tag == "select":
            self.select = told["name"]
        elif tag == "option" and self.select and ("selected" in told or self.select not in self.found):
            self.found[self.select] = [told.get("value") or ""]
        elif tag == "textarea":
            self.area = told["name"]
            self.found[self.area] = [""]

    def handle_data(self, data):
        if self.area:
            self.found[self.area][0] += data.removeprefix("\n") if not self.found[self.area][0] else data

    def handle_endtag(self, tag):
        if tag == "form" and self.is_inside:
            self.is_inside, self.is_over = False, True
        elif tag == "template":
            self.in_template = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None


def inputs(response, **changes):
    """Ready for client.post: {name: texts}. A changed input takes one text or a list of them."""
    reader = FormReader()
    reader.feed(response.content.decode())
    changed = {name: value if isinstance(value, list) else [value] for name, value in changes.items()}
    return reader.found | changed


def send(client, url, **changes):
    """Open the page, write into the form, save."""
    return client.post(url, inputs(client.get(url), **changes))
