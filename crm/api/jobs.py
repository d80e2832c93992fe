"""`jobs`: what works in the background and how far it is."""

from typing import Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Moment, Text
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from core.models import Job

EXAMPLE: Final = {
    "id": "7",
    "step": "import",
    "run": None,
    "state": "claimed",
    "done": 40_000,
    "total": 100_000,
    "started_at": "2026-03-01T11:30:00Z",
    "finished_at": None,
    "error": "",
}


@extend_schema_serializer(examples=[OpenApiExample("An import that runs", value=EXAMPLE, response_only=True)])
class JobOut(StrictSerializer):
    id = Id(source="pk")
    step = Text(help_text="What it does.")
    run = Id(source="run_id", allow_null=True, help_text="The night that it is a part of.")
    state = serializers.ChoiceField(choices=Job.State.choices)
    done = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    error = Text(help_text="Why it failed; empty otherwise.")

    def get_done(self, job: Job) -> int:
        return job.progress.done if hasattr(job, "progress") else job.done

    def get_total(self, job: Job) -> int:
        """0 while it is not known."""
        return job.progress.total if hasattr(job, "progress") else job.total


class JobFilter(FilterSet):
    state = filters.ChoiceFilter(choices=Job.State.choices, label="What became of it.")
    step = filters.CharFilter(label="What it does.")


def told() -> QuerySet[Job]:
    return Job.objects.select_related("progress").defer("payload", "result", "history")


class JobList(ListView):
    serializer_class = JobOut
    filterset_class = JobFilter

    def get_queryset(self) -> QuerySet[Any]:
        return told()

    def get(self, request: Request) -> Response:
        """Jobs, the newest first."""
        return super().get(request)


class JobDetail(ApiView):
    serializer_class = JobOut

    def get(self, request: Request, pk: int) -> Response:
        """One job."""
        return Response(self.get_serializer(get_object_or_404(told(), pk=pk)).data)
