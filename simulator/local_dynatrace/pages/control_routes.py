"""Routes of the controls page, and of the buttons that a running script's page has."""

from __future__ import annotations

from typing import Any

from ..control import diff, dump, faults, presets, reset, state
from ..kernel.nesting import read_json
from ..kernel.routing import Answer, Call, Route, WireError
from . import controls
from .executions import EXECUTIONS
from .polling import poll_ms
from .render import not_found, page, panels, route

PATH = "/_sim/ui/controls"


def get_controls(call: Call) -> Answer:
    return show(call)


def show(call: Call, problem: str = "", *, draft: str = controls.EXAMPLE, status: int = 200, **more: Any) -> Answer:
    return page(
        call, "controls.html", "controls", "Controls", status=status, problem=problem, draft=draft,
        groups=controls.groups(call.world, call.query.get("find", "")), find=call.query.get("find", ""),
        options=controls.options(call.world), rules=controls.rules(call), modes=controls.MODES,
        steps=controls.STEPS,
        panels=panels(call, "controls"), poll_ms=poll_ms(call, bool(call.world.scripts.running)),
        **{"difference": None, "done": "", "wanted": "", **more},
    )  # fmt: skip


def post_clock(call: Call) -> Answer:
    """The clock's mode, or its time: a step, a given time, the next run."""
    form, clock = controls.form(call), call.world.clock
    try:
        if form.get("mode") in controls.MODES:
            clock.set_mode(form["mode"])  # type: ignore[arg-type]
        else:
            clock.jump(controls.target_us(call.world, form))
    except WireError as error:
        return show(call, controls.message(error), status=error.status, wanted=form.get("at", ""))
    call.world.changed("clock")
    return back()


def post_preset(call: Call) -> Answer:
    return switch(call, on=True)


def remove_preset(call: Call) -> Answer:
    return switch(call, on=False)


def switch(call: Call, *, on: bool) -> Answer:
    try:
        if on:
            presets.switch_on(call.world, call.table, call.params["name"])
        else:
            presets.switch_off(call.world, call.params["name"])
    except WireError as error:
        return show(call, controls.message(error), status=error.status)
    return back(f"preset-{call.params['name']}")


def post_options(call: Call) -> Answer:
    try:
        call.world.options.change(controls.given_options(call.world, controls.form(call)))
    except ValueError as error:
        return show(call, f"{error}.", status=400)
    call.world.changed("options")
    return back("options")


def repair_everything(call: Call) -> Answer:
    """No fault rule, and every option as at the start; then back to the page that the button is on."""
    call.world.faults.clear()
    call.world.options.change(call.world.options_at_start)
    call.world.changed("faults")
    call.world.changed("options")
    path = controls.form(call).get("back", "")
    known = call.table.find("GET", path)
    return Answer(303, None, {"location": path}) if known and known[0].api == "pages" else back()


def post_fault(call: Call) -> Answer:
    text = controls.form(call).get("rule", "")
    try:
        faults.add(call.world, call.table, read_json(text))
    except ValueError:
        return show(call, "The rule is not valid JSON.", draft=text, status=400)
    except WireError as error:
        return show(call, controls.message(error), draft=text, status=400)
    return back()


def remove_fault(call: Call) -> Answer:
    number = call.params["id"]
    if number.isdecimal():
        call.world.faults.remove(int(number))
    return back()


async def post_reset(call: Call) -> Answer:
    await reset.reset(call.world)
    return Answer(303, None, {"location": "/"})


async def post_state(call: Call) -> Answer:
    """Put a saved state back; what could not be put back is said."""
    try:
        document = controls.upload(call)
        lost = await state.restore(call.world, document if isinstance(document, dict) else {})
    except ValueError as error:
        return show(call, str(error), status=400)
    except WireError as error:
        return show(call, controls.message(error), status=400)
    return show(call, done=controls.restored(lost))


def post_diff(call: Call) -> Answer:
    """What has changed since a dump was taken."""
    try:
        before = diff.dump_of(controls.upload(call), "The file")
    except ValueError as error:
        return show(call, str(error), status=400)
    except WireError as error:
        return show(call, controls.message(error), status=400)
    return show(call, difference=diff.diff(before, dump.dump(call.world, "executions" in before)))


async def post_kill(call: Call) -> Answer:
    return await script(call, "kill")


async def post_freeze(call: Call) -> Answer:
    return await script(call, "freeze")


async def post_thaw(call: Call) -> Answer:
    return await script(call, "thaw")


async def script(call: Call, what: str) -> Answer:
    id, scripts = call.params["id"], call.world.scripts
    if id not in scripts.running:
        return not_found(call, f"No script of execution {id} is running (any more).")
    if what == "kill":
        await scripts.kill(id)
    else:
        (scripts.freeze if what == "freeze" else scripts.thaw)(id)
    return Answer(303, None, {"location": f"{EXECUTIONS}/{id}"})


def back(place: str = "") -> Answer:
    """To the page again, there where the button was."""
    return Answer(303, None, {"location": f"{PATH}#{place}" if place else PATH})


ROUTES: list[Route] = [
    route("GET", PATH, get_controls),
    route("POST", f"{PATH}/clock", post_clock),
    route("POST", f"{PATH}/presets/{{name}}", post_preset),
    route("POST", f"{PATH}/presets/{{name}}/remove", remove_preset),
    route("POST", f"{PATH}/repair", repair_everything),
    route("POST", f"{PATH}/options", post_options),
    route("POST", f"{PATH}/faults", post_fault),
    route("POST", f"{PATH}/faults/{{id}}/remove", remove_fault),
    route("POST", f"{PATH}/reset", post_reset),
    route("POST", f"{PATH}/state", post_state),
    route("POST", f"{PATH}/diff", post_diff),
    route("POST", f"{EXECUTIONS}/{{id}}/kill", post_kill),
    route("POST", f"{EXECUTIONS}/{{id}}/freeze", post_freeze),
    route("POST", f"{EXECUTIONS}/{{id}}/thaw", post_thaw),
]
