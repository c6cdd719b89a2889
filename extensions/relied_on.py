"""What the template relies on that Copier does not promise.

`tests/test_copier.py` has a test for each, which fails by this name when a new Copier behaves in
another way. https://copier.readthedocs.io/ promises the rest.
"""

RELIED_ON = {
    "the_first_render_is_a_condition": (
        "The first render in Phase.PROMPT that has an answers file is the `when` of the first "
        "question: nobody was asked anything yet. context.py checks all answers there."
    ),
    "the_place_of_the_answers_file_is_empty_meanwhile": (
        "While Copier renders where the answers file is, `_copier_conf.answers_file` is empty."
    ),
    "an_error_in_a_condition_is_a_line": (
        "A UserMessageError that a condition raises ends Copier with one line and exit code 1."
    ),
    "an_error_in_a_validator_is_swallowed": (
        "What is raised while a recorded answer is validated only drops that answer, so that "
        "context.py must raise it again at the next render."
    ),
    "exclude_is_rendered_before_the_first_file": (
        "The first render in Phase.RENDER that knows `_copier_operation` is of `_exclude`: all is "
        "answered, nothing is written."
    ),
    "migrations_before_come_before_the_first_file": (
        "Migrations of stage `before` run when the old version was rendered elsewhere and the "
        "service is as its owner left it."
    ),
    "migrations_after_come_last": (
        "Migrations of stage `after` run once, in their order, when Copier writes nothing more; "
        "with --skip-tasks too. finish_update.py puts its own merge in the place of Copier's."
    ),
    "migrations_know_the_versions": (
        "`_version_from` and `_version_to` are what `git describe` says of both versions."
    ),
    "copier_runs_git_in_the_environment_of_plumbum": (
        "What surroundings.py sets in `plumbum.local.env` holds for Copier's git and its tasks."
    ),
    "the_command_has_a_module": (
        "`copier._cli` is imported by Copier's command and not by `import copier`."
    ),
    "both_versions_are_rendered_by_one_process": (
        "An update loads the extensions of two versions into one process, by the same name."
    ),
    "hidden_conflicts_are_not_marked": (
        "With status.showUntrackedFiles=no, Copier stages no conflicts of its own."
    ),
    "the_operation_is_known_to_every_render": (
        "`copier._main._operation` says `update` in every phase of one, while the copies that it "
        "compares are made too."
    ),
    "settings_are_read_at_each_question": (
        "What is put among the defaults of `_copier_conf.settings` at the first question is the "
        "default of the later ones."
    ),
    "an_update_passes_quiet_copies": (
        "The copies that an update compares have no answers file in their folder before it starts."
    ),
}
