"""Order lines imported by django-import-export, in an environment of its own; prints one line of JSON.

    import_export_lines.py SOCKETS FILE default|bulk

One flat table with the line number as its unique key: fewer queries than the normalised tables of the other side.
Mode `default` is ModelResource as it comes; `bulk` follows its documentation's advice for large files.
"""

import json
import resource
import sys
import time
import types
from pathlib import Path

import django
from django.conf import settings

HOST, FILE, MODE = sys.argv[1:]
DATABASE = {"ENGINE": "django.db.backends.postgresql", "NAME": "perennial", "USER": "perennial", "HOST": HOST}

sys.modules["peer"] = types.ModuleType("peer")  # the app that the table belongs to
sys.modules["peer"].__path__ = [str(Path(__file__).parent)]
settings.configure(
    DATABASES={"default": DATABASE},
    INSTALLED_APPS=["import_export", "peer"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models  # noqa: E402
from import_export import resources  # noqa: E402
from tablib import Dataset  # noqa: E402

TABLE = f"peer_line_{MODE}"
FIELDS = ("invoice", "stock_code", "description", "quantity", "placed_at", "unit_price", "customer", "country")


class Line(models.Model):
    number = models.IntegerField(unique=True)
    invoice = models.CharField(max_length=200)
    stock_code = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    placed_at = models.DateTimeField()
    unit_price = models.DecimalField(max_digits=14, decimal_places=4)
    customer = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=60, blank=True)

    class Meta:
        app_label = "peer"
        db_table = TABLE

    def __str__(self):
        return f"Line {self.number}"


class Default(resources.ModelResource):
    class Meta:
        model = Line
        import_id_fields = ("number",)
        exclude = ("id",)


class Bulk(Default):
    class Meta(Default.Meta):
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        force_init_instance = True


def main():
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
    with connection.schema_editor() as editor:
        editor.create_model(Line)
    started = time.perf_counter()
    read = Dataset().load(Path(FILE).read_text(), format="csv")
    rows = Dataset(*((i, *row) for i, row in enumerate(read, start=2)), headers=["number", *FIELDS])
    result = {"default": Default, "bulk": Bulk}[MODE]().import_data(rows, dry_run=False, raise_errors=True)
    seconds = time.perf_counter() - started
    assert Line.objects.count() == len(rows) == result.total_rows
    print(
        json.dumps(
            {
                "rows": len(rows),
                "seconds": seconds,
                "rate": len(rows) / seconds,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
