"""What each option of `observability` costs a service: bytes, requests a second and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks import collector, run_time
from benchmarks.workshop import Workshop
from extensions.registry import frameworks
from extensions.rules import OBSERVABILITY
from lab.subjects import file_name

TRACES = "traces"
# Spans that the collector has taken, of the requests that were asked.
TAKEN = "spans taken"


@dataclass(frozen=True)
class Way:
    """One way to observe a service.

    Attributes:
        name: How it is called in the results.
        options: The answer to the question.
        variables: What the service is told beside the usual.
    """

    name: str
    options: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


NONE = Way("none", ())
# One request in a hundred has a span that is sent. Those of clients that sampled theirs have one in
# any case, but wrk does not say so.
FEW = Way(
    f"{TRACES}, 1 % sampled",
    (TRACES,),
    {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"},
)
WAYS = (NONE, *(Way(each, (each,)) for each in OBSERVABILITY), FEW, Way("all", OBSERVABILITY))
FULL = run_time.Rounds(seconds=3)
# Enough to see that all of it works.
QUICK = run_time.Rounds(times=1)


def measure(workshop: Workshop) -> None:
    """Build our service of each framework in each way, weigh it, and run all of them in turn."""
    for framework in frameworks():
        group = f"observability: {framework}"
        images = _images(workshop, framework)
        with collector.collecting(*run_time.CLIENT) as port:
            programs = []
            for way in WAYS:
                service = workshop.service(way.name, images[tuple(way.options)])
                weight = service.binary.stat().st_size / 1e6
                workshop.sheet.note(group, way.name, "binary", weight, "MB")
                told = {**service.variables, **variables(way, port)}
                programs.append(replace(service, variables=told))
            rounds = QUICK if workshop.quick else FULL
            run_time.measure(workshop.sheet, group, programs, rounds)
            for way, program in zip(WAYS, programs, strict=True):
                for _ in range(rounds.times if TRACES in way.options else 0):
                    share = _taken(program, port, rounds)
                    workshop.sheet.note(group, way.name, TAKEN, share * 100, "%")


def _taken(program: run_time.Program, port: int, rounds: run_time.Rounds) -> float:
    """Return the share of requests whose spans a collector takes, under the load of a round.

    A service that cannot send spans as fast as they come drops some.
    """
    name = file_name(program.name)
    before = collector.spans(port, name)
    with run_time.serving(program, *run_time.SERVER) as (process, _):
        rate, _ = run_time.load(program.port, max(rounds.connections), rounds.seconds)
        # It sends what is left before it ends.
        process.terminate()
        process.wait()
    taken = collector.spans(port, name) - before
    assert taken, f"{program.name}: the collector took nothing"
    return taken / (rate * rounds.seconds)


def _images(workshop: Workshop, framework: str) -> dict[tuple[str, ...], str]:
    """Return our scratch images in the size profile, by their options."""
    answers = list(dict.fromkeys(tuple(way.options) for way in WAYS))
    services = [workshop.ours(framework, observability=each) for each in answers]
    return dict(zip(answers, workshop.images(services), strict=True))


def variables(way: Way, port: int) -> dict[str, str]:
    """Return what a service is told of where its logs and traces go.

    What it has no option for it does not read, so all services are told the same.

    Args:
        way: How it is observed.
        port: Of the collector.
    """
    return {
        "LOG_FORMAT": "text",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint(port, file_name(way.name)),
        **way.variables,
    }
