"""Clusters of the pool, for who names classes only now."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.clusters import Cluster, clusters_of
from fastlabel_gradio.server.api_models import MediaAnswer, Model
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.items_shown import row_now, shown_item
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import in_line
from fastlabel_gradio.types import Rows

LOOKED_AT = 5_000  # unlabeled items, which are a random sample
AT_ONCE = 2


class ClusterAnswer(Model):
    size: int = Field(description="items of the sample that are in it")
    items: list[MediaAnswer] = Field(description="those nearest to its centre, the nearest first")
    query: dict[str, list[str]] = Field(description="names these items, for `POST /api/apply`")


class ClustersAnswer(Model):
    sample: int = Field(description="unlabeled items that were looked at")
    clusters: list[ClusterAnswer] = Field(description="the largest first")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/clusters")
    @in_line(AT_ONCE)
    def clusters(
        who: annotator,
        project: OfProject = None,
        size: Annotated[int, Query(ge=1, le=100, description="how many clusters")] = 12,
        examples: Annotated[int, Query(ge=1, le=100, description="items of each")] = 12,
    ) -> ClustersAnswer:
        """What kinds of items the unlabeled part of the pool has: clusters of a sample, each with its most typical items."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        rows = labeler.finder.unjudged_rows(LOOKED_AT)
        found = clusters_of(np.asarray(chosen.store.embeddings[rows]), size, examples, chosen.config.seed)
        return ClustersAnswer(sample=len(rows), clusters=[_answer(chosen, labeler, rows, one) for one in found])


def _answer(project: Project, labeler: Labeler, rows: Rows, cluster: Cluster) -> ClusterAnswer:
    items = project.store.items_at(rows[cluster.nearest])
    facts = project.gallery.facts(list(items.values()))
    shown = [
        MediaAnswer(**shown_item(project, item, row_now(project, row), known), prediction=None)
        for (row, item), known in zip(items.items(), facts, strict=True)
    ]
    return ClusterAnswer(size=cluster.size, items=shown, query={"ids": [one.id for one in shown]})
