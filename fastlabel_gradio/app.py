"""The app: a configuration's projects, REST routes and page, built and served."""

import functools
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.errors import ConfigError

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from fastlabel_gradio.server.access import Access, Hosts, Role
    from fastlabel_gradio.server.project import Project
    from fastlabel_gradio.ui.tab_info import TabInfo

SPACE_VARIABLE = "SPACE_ID"  # Hugging Face sets it in every Space, and the Space's host name
Mcp = Literal["read", "write"] | None
HUB_LINK = '<p><a href="login/huggingface">Log in with Hugging Face</a></p>'
LOGIN_ADVICE = "After five wrong passwords each one has to wait longer, up to five minutes."


@dataclass(frozen=True, slots=True)
class App:
    """A built app, not yet serving.

    Attributes:
        mcp: what MCP clients may call: tools that read, or all; None for no MCP server.
    """

    config: AppConfig
    projects: dict[str, "Project"]
    access: "Access"
    page: "gr.Blocks"
    workdir: Path
    mcp: Mcp = None

    def serve(
        self,
        *,
        host: str,
        port: int | None,
        share: bool,
        open_browser: bool,
        quiet: bool = False,
        names: Sequence[str] = (),
    ) -> str:
        """Starts the server in the background and returns the address.

        Args:
            names: host names beside those of this machine that lead here: a reverse proxy's, a Space's.

        Raises:
            ConfigError: one of the names can be none. OSError: the port is taken.
        """
        from fastlabel_gradio.server.access import Hosts, write_served
        from fastlabel_gradio.ui.app_layout import PAGE_CSS, PAGE_THEME, page_head
        from fastlabel_gradio.ui.words import PAGE_WORDS

        hosts = Hosts(host, names)
        _, address, share_address = self.page.launch(
            server_name=f"[{host}]" if ":" in host and not host.startswith("[") else host,
            server_port=port,
            share=share,
            inbrowser=open_browser,
            quiet=quiet or not (share or self.mcp),  # its lines say nothing else than the address
            prevent_thread_lock=True,
            auth=self.access.log_in if self.access.asks else None,  # type: ignore[arg-type]  # it awaits, too
            auth_message=(HUB_LINK if self.access.hub_users else "") + LOGIN_ADVICE,
            app_kwargs={"lifespan": self._behind_the_guard(hosts)},
            ssr_mode=False,  # Spaces turn it on; its proxy answers /api itself
            theme=PAGE_THEME,
            css=PAGE_CSS,
            head=page_head(),
            i18n=PAGE_WORDS,
            footer_links=["api"],
            mcp_server=self.mcp is not None,
            _frontend=False,  # or it asks for the whole page, and on a machine too busy to send it in 3 s ends the app
        )
        if share_address:
            hosts.add(urlsplit(share_address).netloc)
        write_served(self.workdir, share_address or address, (*self.access.logins, *self.access.hub_users))
        return share_address or address

    def _behind_the_guard(self, hosts: "Hosts") -> Callable[["FastAPI"], AbstractAsyncContextManager[None]]:
        """Puts the guard around Gradio's app when that starts, after its middleware and before its first request."""
        from fastlabel_gradio.server.access import guarded
        from fastlabel_gradio.server.api import create_api, route_table
        from fastlabel_gradio.ui.api_names import keep_tools
        from fastlabel_gradio.ui.plotly_file import plotly_routes
        from fastlabel_gradio.ui.web_files import web_files, web_routes

        api = create_api(self.projects)
        api.include_router(plotly_routes())
        api.include_router(web_routes(web_files()))

        @asynccontextmanager
        async def lifespan(gradio: "FastAPI") -> AsyncIterator[None]:
            gradio.middleware_stack = guarded(
                gradio.middleware_stack or gradio.build_middleware_stack(),
                api,
                table=route_table(),
                hosts=hosts,
                access=self.access,
                framed=is_public_space(),
            )
            keep_tools(self.page, may_write=self.mcp == "write")
            yield

        return lifespan

    def close(self) -> None:
        """Stops serving and closes the projects."""
        from fastlabel_gradio.server.access import forget_served

        self.page.close()
        forget_served(self.workdir)
        for project in self.projects.values():
            project.close()


def create_app(
    config: AppConfig,
    workdir: Path,
    logins: dict[str, str] | None = None,
    roles: "Mapping[str, Role] | None" = None,
    mcp: Mcp = None,
) -> App:
    """Opens everything that a configuration names, and begins to embed.

    From here on files that this process makes are its owner's alone.

    Args:
        workdir: made if missing; each project keeps a folder in it.
        logins: password by annotator name; none means that whoever can connect may come in.
        roles: by annotator name; whoever is not in it is an owner.
        mcp: what MCP clients may call.

    Raises:
        FastLabelError: something cannot be used; what was opened before is closed again.
    """
    if mcp and find_spec("mcp") is None:
        raise ConfigError('--mcp needs the package mcp. Install it: pip install "fastlabel-gradio[mcp]"')
    # Gradio and torch take seconds to import: `--help` and a wrong command line must not wait for them.
    from fastlabel_gradio.server.access import Access, close_to_others, hub_users, invites_of, make_files_private
    from fastlabel_gradio.server.bucket import keep_invites
    from fastlabel_gradio.server.project import Project

    users = hub_users()
    make_files_private()
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        for project_config in config.projects:
            close_to_others(workdir / project_config.name)
    except OSError as error:
        raise ConfigError(
            f"{workdir} cannot be the working directory: {error.strerror}. Choose another --workdir."
        ) from error
    bucket = config.base_dir / config.bucket if config.bucket else None
    projects: dict[str, Project] = {}
    with ExitStack() as undo:
        for project_config in config.projects:
            project = Project(project_config, config.base_dir, workdir, pick_device(), bucket=bucket)
            undo.callback(project.close)
            projects[project.name] = project
        for project in projects.values():
            project.start()
        from fastlabel_gradio.ui.app_layout import build_page  # takes seconds: the projects are at work meanwhile

        secret = _secret(workdir, bucket)
        keep = functools.partial(keep_invites, bucket, workdir) if bucket else None
        access = Access(logins or {}, secret, roles, invites_of(workdir, keep), users, framed=is_public_space())
        page = build_page(config.title, [_tab(project) for project in projects.values()], with_hub=bool(users))
        undo.pop_all()
    return App(config, projects, access, page, workdir, mcp)


def is_public_space() -> bool:
    return SPACE_VARIABLE in os.environ


def _secret(workdir: Path, bucket: Path | None) -> bytes:
    """What signs tokens and invites, which are put back, too. Raises ConfigError where the bucket cannot be used."""
    from fastlabel_gradio.server.access import SECRET_FILE, load_secret
    from fastlabel_gradio.server.bucket import keep_secret, restore_invites

    try:
        if bucket:
            keep_secret(bucket, workdir)
            restore_invites(bucket, workdir)
        secret = load_secret(workdir / SECRET_FILE)
        if bucket:
            keep_secret(bucket, workdir)
    except OSError as error:
        raise ConfigError(f"{bucket} cannot be the bucket: {error.strerror}. Mount it, or name another.") from error
    return secret


def _tab(project: "Project") -> "TabInfo":
    from fastlabel_gradio.exports import formats_for
    from fastlabel_gradio.strategies import menu_strategies
    from fastlabel_gradio.ui.tab_info import TabInfo

    return TabInfo(
        project=project.name,
        kind=project.medium,
        title=project.name,
        strategies=menu_strategies(project.config.strategy),
        strategy=project.config.strategy,
        batch_size=project.config.batch_size,
        sound_view=project.source.sound_view,
        exports=formats_for(project.medium),
    )
