"""The routes of the API, under `/api/v1/`. What each is open to stands in crm.access."""

from django.urls import path, re_path, register_converter

from analytics.api.contracts import (
    ContractById,
    ContractByName,
    ContractCancellations,
    ContractList,
    ContractRenewals,
)
from analytics.api.kpis import CohortList, KpiList
from analytics.api.report_card import ReportCardDetail
from core.api.converters import IdConverter
from core.api.description import SchemaView
from core.api.views import Unknown
from core.api.webhooks import DeliveryList, DeliveryReplay, WebhookDetail, WebhookList, WebhookSecret, WebhookTest
from crm.api.customers import CustomerById, CustomerByName, CustomerList
from crm.api.jobs import JobDetail, JobList
from crm.api.scores import ScoreDetail, ScoreList
from crm.api.segments import MemberList, SchemeMemberList, SegmentList
from customers.api.companies import CompanyById, CompanyByName, CompanyList
from customers.api.costs import CostList
from customers.api.order_batch import OrderBatch
from customers.api.orders import OrderById, OrderByName, OrderList
from customers.api.products import ProductDetail, ProductList
from customers.api.refunds import RefundList
from loyalty.api.actions import PointsActions
from loyalty.api.adjustments import AdjustmentApprove, AdjustmentDecline, AdjustmentList
from loyalty.api.codes import CodeConfirm, CodeRedeem, CodeRelease, CodeValidate
from loyalty.api.points import (
    Points,
    PointsAdjust,
    PointsCommit,
    PointsHolds,
    PointsQuote,
    PointsRedeem,
    PointsRelease,
)
from loyalty.api.prices import Prices
from loyalty.api.referrals import ReferralClaim, ReferralCodes, ReferralList
from loyalty.api.rewards import RewardById, RewardList
from loyalty.api.wallet import OfferList, WalletDetail

register_converter(IdConverter, "id")

app_name = "api"

urlpatterns = [
    path("v1/schema/", SchemaView.as_view(), name="schema"),
    path("v1/customers/", CustomerList.as_view(), name="customer_list"),
    path("v1/customers/<id:pk>/", CustomerById.as_view(), name="customer_detail"),
    path("v1/customers/<str:source>/<path:external_id>/", CustomerByName.as_view(), name="customer_by_name"),
    path("v1/companies/", CompanyList.as_view(), name="company_list"),
    path("v1/companies/<id:pk>/", CompanyById.as_view(), name="company_detail"),
    path("v1/companies/<str:source>/<path:external_id>/", CompanyByName.as_view(), name="company_by_name"),
    path("v1/contracts/", ContractList.as_view(), name="contract_list"),
    path("v1/contracts/<id:pk>/", ContractById.as_view(), name="contract_detail"),
    path("v1/contracts/<id:pk>/renew/", ContractRenewals.as_view(), name="contract_renew"),
    path("v1/contracts/<id:pk>/cancel/", ContractCancellations.as_view(), name="contract_cancel"),
    path("v1/contracts/<str:source>/<path:external_id>/", ContractByName.as_view(), name="contract_by_name"),
    path("v1/costs/", CostList.as_view(), name="cost_list"),
    path("v1/products/", ProductList.as_view(), name="product_list"),
    path("v1/products/<path:sku>/", ProductDetail.as_view(), name="product_detail"),
    path("v1/orders/", OrderList.as_view(), name="order_list"),
    path("v1/orders/batch/", OrderBatch.as_view(), name="order_batch"),
    path("v1/orders/<id:pk>/", OrderById.as_view(), name="order_detail"),
    path("v1/orders/<id:pk>/refunds/", RefundList.as_view(), name="refund_list"),
    path("v1/orders/<str:source>/<path:external_id>/", OrderByName.as_view(), name="order_by_name"),
    path("v1/scores/", ScoreList.as_view(), name="score_list"),
    path("v1/scores/<id:pk>/", ScoreDetail.as_view(), name="score_detail"),
    path("v1/segments/", SegmentList.as_view(), name="segment_list"),
    path("v1/segments/<slug:slug>/members/", MemberList.as_view(), name="member_list"),
    path("v1/segments/<slug:scheme>/<slug:slug>/members/", SchemeMemberList.as_view(), name="scheme_member_list"),
    path("v1/kpis/", KpiList.as_view(), name="kpi_list"),
    path("v1/cohorts/", CohortList.as_view(), name="cohort_list"),
    path("v1/referrals/", ReferralList.as_view(), name="referral_list"),
    path("v1/referrals/codes/", ReferralCodes.as_view(), name="referral_codes"),
    path("v1/referrals/<str:code>/claim/", ReferralClaim.as_view(), name="referral_claim"),
    path("v1/webhooks/", WebhookList.as_view(), name="webhook_list"),
    path("v1/webhooks/<id:pk>/", WebhookDetail.as_view(), name="webhook_detail"),
    path("v1/webhooks/<id:pk>/secret/", WebhookSecret.as_view(), name="webhook_secret"),
    path("v1/webhooks/<id:pk>/test/", WebhookTest.as_view(), name="webhook_test"),
    path("v1/webhooks/<id:pk>/deliveries/", DeliveryList.as_view(), name="delivery_list"),
    path("v1/webhooks/<id:pk>/deliveries/<id:delivery>/replay/", DeliveryReplay.as_view(), name="delivery_replay"),
    path("v1/report-card/", ReportCardDetail.as_view(), name="report_card"),
    path("v1/offers/", OfferList.as_view(), name="offer_list"),
    path("v1/prices/", Prices.as_view(), name="prices"),
    path("v1/wallet/<id:pk>/", WalletDetail.as_view(), name="wallet_detail"),
    path("v1/points/<id:customer>/", Points.as_view(), name="points"),
    path("v1/points/<id:customer>/quote/", PointsQuote.as_view(), name="points_quote"),
    path("v1/points/<id:customer>/redeem/", PointsRedeem.as_view(), name="points_redeem"),
    path("v1/points/<id:customer>/holds/", PointsHolds.as_view(), name="points_holds"),
    path("v1/points/<id:customer>/holds/<id:pk>/commit/", PointsCommit.as_view(), name="points_commit"),
    path("v1/points/<id:customer>/holds/<id:pk>/release/", PointsRelease.as_view(), name="points_release"),
    path("v1/points/<id:customer>/adjust/", PointsAdjust.as_view(), name="points_adjust"),
    path("v1/points/<id:customer>/actions/", PointsActions.as_view(), name="points_actions"),
    path("v1/adjustments/", AdjustmentList.as_view(), name="adjustment_list"),
    path("v1/adjustments/<id:pk>/approve/", AdjustmentApprove.as_view(), name="adjustment_approve"),
    path("v1/adjustments/<id:pk>/decline/", AdjustmentDecline.as_view(), name="adjustment_decline"),
    path("v1/rewards/", RewardList.as_view(), name="reward_list"),
    path("v1/rewards/<id:pk>/", RewardById.as_view(), name="reward_detail"),
    path("v1/codes/<str:code>/validate/", CodeValidate.as_view(), name="code_validate"),
    path("v1/codes/<str:code>/redeem/", CodeRedeem.as_view(), name="code_redeem"),
    path("v1/codes/<str:code>/confirm/", CodeConfirm.as_view(), name="code_confirm"),
    path("v1/codes/<str:code>/release/", CodeRelease.as_view(), name="code_release"),
    path("v1/jobs/", JobList.as_view(), name="job_list"),
    path("v1/jobs/<id:pk>/", JobDetail.as_view(), name="job_detail"),
    re_path("", Unknown.as_view(), name="unknown"),
]
