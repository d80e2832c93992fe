from customers.models.apart import Apart
from customers.models.batch import ImportBatch, ImportedRow
from customers.models.company import Company
from customers.models.consent import Consent
from customers.models.contract import Contract, ContractTerm
from customers.models.cost import COUNTED, AcquisitionCost, Cost, CostKind, UnitCost
from customers.models.custom import CustomField
from customers.models.merge import Merge
from customers.models.order import Order, OrderLine
from customers.models.person import Customer, Email, Identity, Phone
from customers.models.portal import CodeMail, PortalAccess
from customers.models.product import AppliedRates, Category, Product
from customers.models.refund import Refund, RefundLine, UnmatchedReturn
from customers.models.segment import Membership, Segment
from customers.models.tag import Tagging
from customers.models.upload import Upload

__all__ = [
    "COUNTED",
    "AcquisitionCost",
    "Apart",
    "AppliedRates",
    "Category",
    "CodeMail",
    "Company",
    "Consent",
    "Contract",
    "ContractTerm",
    "Cost",
    "CostKind",
    "CustomField",
    "Customer",
    "Email",
    "Identity",
    "ImportBatch",
    "ImportedRow",
    "Membership",
    "Merge",
    "Order",
    "OrderLine",
    "Phone",
    "PortalAccess",
    "Product",
    "Refund",
    "RefundLine",
    "Segment",
    "Tagging",
    "UnitCost",
    "UnmatchedReturn",
    "Upload",
]
