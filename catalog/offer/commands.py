"""The commands that offer the template; each hands over to a module of its own.

Modules are imported where a command needs them, so that each command starts fast.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from catalog.commands import PUBLISHED, WORKFLOW, Check, Failed, Format, Output, app, as_json
from catalog.output import put
from extensions.pins import ROOT
from extensions.policy import current, refusal


@app.command(rich_help_panel="Offer the template")
def schema(
    output: Output = None,
    check: Check = False,
    of_policy: Annotated[
        bool, typer.Option("--policy", help="Print the schema of a policy instead.")
    ] = False,
) -> None:
    """Print the questions as JSON Schema 2020-12, for forms, editors and other generators.

    What it accepts, `copier copy --data-file` accepts. A policy narrows it.

    `catalog schema -o answers.schema.json`
    """
    from catalog.offer import schema as schemas

    name = "policy" if of_policy else "answers"
    made = schemas.of_policy() if of_policy else schemas.of_answers(None if check else current())
    file = output or (PUBLISHED / f"{name}.schema.json" if check else None)
    command = "catalog schema --policy" if of_policy else "catalog schema"
    put(as_json(made), file, check=check, command=command)


@app.command(rich_help_panel="Offer the template")
def policy(
    output_format: Annotated[
        Format, typer.Option("--format", help="For people, or for programs.")
    ] = Format.TABLE,
) -> None:
    """Explain what the policy allows; exit with 1 if it cannot be followed.

    `CATALOG_POLICY=policy.yaml catalog policy`
    """
    from rich.console import Console

    from catalog.offer import explain

    if output_format is Format.JSON:
        put(as_json(explain.as_data(current())), None, check=False, command="catalog policy")
    else:
        explain.show(current(), Console())


@app.command(rich_help_panel="Offer the template")
def new(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Where to make it; its name is the service's. Without it, you are asked."
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A preset of the policy; without it, you choose.")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The template; without it, the policy's, or what this program came from.",
        ),
    ] = None,
    vcs_ref: Annotated[
        str | None,
        typer.Option("--vcs-ref", "-r", help="A version of it; without it, the newest."),
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", "-l", help="Ask nothing more; take the defaults.")
    ] = False,
) -> None:
    """Make a service at a terminal: choose a preset, answer what it leaves open, and see it proven.

    `catalog new order-api`
    """
    from catalog import source
    from catalog.offer.new import NoService, ask_name, choose, copy

    decided = current()
    presets = decided.presets if decided else {}
    is_asked = folder is None or not defaults or (preset is None and presets)
    if is_asked and not sys.stdin.isatty():
        raise Failed(
            "new asks questions, and there is no terminal; give FOLDER, --preset and --defaults, "
            "or use `copier copy --data-file`"
        )
    try:
        where = source.template(template, decided)
        answers = choose(presets, preset)
        name = ask_name(decided) if folder is None else folder.absolute().name
        if reason := refusal(decided, name, "service_name"):
            raise NoService(f"{folder}: {reason}; the folder has the name of the service")
        options = [f"--vcs-ref={vcs_ref}"] if vcs_ref else []
        options += ["--defaults"] if defaults else []
        locked = decided.locked if decided else {}
        copy(where, folder or Path(name), {**locked, **answers, "service_name": name}, options)
    except (NoService, source.NoTemplate) as reason:
        raise Failed(str(reason)) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command(rich_help_panel="Offer the template")
def version(output: Output = None, check: Check = False) -> None:
    """Print what this version asks and pins, as JSON; each release carries it for the index."""
    from catalog.offer.version import this_version

    file = output or (PUBLISHED / "version.json" if check else None)
    put(as_json(this_version()), file, check=check, command="catalog version")


@app.command(rich_help_panel="Offer the template")
def index(
    template: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Repository of the template, a URL or a path; without it, the clone that this "
            "program belongs to, or else what it was installed from.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Write index.html and index.json there; without it, print.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit with 1 if a file has something else."),
    ] = False,
    output_format: Annotated[
        Format, typer.Option("--format", help="What to print.")
    ] = Format.TABLE,
) -> None:
    """List every released version: its date, changelog, questions, images and crates.

    The page is one file without a script, for any web server, or for none. Versions are the tags of
    the template, which a shallow clone lacks.

    `catalog index --output public`
    """
    from rich.console import Console

    from catalog import source
    from catalog.history import NoHistory, history
    from catalog.offer.index import index as index_of
    from catalog.offer.page import page, table
    from hooks.check_recorded import expanded
    from hooks.git import GitFailed

    if check and output is None:
        raise typer.BadParameter("--check needs --output, the folder to compare")
    try:
        if template is None and not (ROOT / ".git").exists():
            template = expanded(source.template(None, current()))
        with Console(stderr=True).status("Reading the template's history"), history(template) as at:
            found = index_of(at)
    except (GitFailed, NoHistory, source.NoTemplate) as reason:
        raise Failed(str(reason)) from None
    if output is not None:
        command = f"catalog index --output {output}"
        made = {"index.json": as_json(found), "index.html": page(found)}
        for name, text in made.items():
            put(text, output / name, check=check, command=command)
    elif output_format is Format.JSON:
        put(as_json(found), None, check=False, command="catalog index")
    elif found["versions"]:
        Console().print(table(found))
    else:
        print("No version is released yet: the template has no tag such as 1.2.0.")


@app.command(rich_help_panel="Offer the template")
def backstage(
    template: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Your copy of the template on GitHub; without it, the `template` of the policy.",
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Who answers for the template; without it, the default of `owner`."
        ),
    ] = None,
    of_workflow: Annotated[
        bool,
        typer.Option("--workflow", help="Print the workflow that the portal starts instead."),
    ] = False,
    output: Output = None,
    check: Check = False,
) -> None:
    """Print the entry of a Backstage portal: its form, and what follows the answers.

    A policy narrows the form. Commit both files in your copy of the template, the workflow as
    `.github/workflows/new-service.yml`, and register the entry in the portal.

    `catalog backstage --template https://github.com/acme/rust-service-template -o template.yaml`
    """
    from catalog.offer import portal
    from extensions.policy import preferred
    from extensions.questions import default_of

    if of_workflow:
        file = output or (WORKFLOW if check else None)
        put(portal.workflow(), file, check=check, command="catalog backstage --workflow")
        return
    is_published = check and output is None
    policy = None if is_published else current()
    url = template or (policy.template if policy else "") or (portal.EXAMPLE if check else "")
    if not url:
        raise Failed("--template must say where you have the template, or `template` of the policy")
    found = owner or preferred(policy).get("owner", default_of("owner"))
    if reason := refusal(None, found, "owner"):
        raise Failed(f"--owner: {reason}")
    try:
        text = portal.software_template(portal.repository(url), str(found), policy)
    except portal.NoRepository as reason:
        named_by = "--template" if template or policy is None else f"template of {policy.file}"
        raise Failed(f"{named_by}: {reason}") from None
    file = output or (PUBLISHED / "template.yaml" if check else None)
    put(text, file, check=check, command=f"catalog backstage --template {url}")


@app.command(rich_help_panel="Offer the template")
def answers(
    name: Annotated[
        bool, typer.Option("--name", help="Print the name of the service instead.")
    ] = False,
    output: Output = None,
) -> None:
    """Print the answers in ANSWERS of the environment, JSON, for `copier copy --data-file`.

    For workflows that a portal starts. The rules and the policy count as for `copier copy`.

    `ANSWERS='{"service_name": "order-api"}' catalog answers -o answers.yml`
    """
    from catalog.offer.answers import BadAnswers, as_yaml, given

    try:
        found = given(current())
    except BadAnswers as reason:
        raise Failed(str(reason)) from None
    text = f"{found['service_name']}\n" if name else as_yaml(found)
    put(text, output, check=False, command="catalog answers")
