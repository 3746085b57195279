"""What there is to type, by topic, each with an example that runs in `demo_session`: what `help()` shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """Commands that belong together.

    :param examples: what is typed, and what that does.
    :param more: names of which the examples show a relative.
    """

    about: str
    examples: tuple[tuple[str, str], ...]
    more: tuple[str, ...] = ()
    page: str = ""
    """Where the documentation says all of it."""


NEEDS_KEYS = ("tweak", "ask_", "show_message", "edit_mg", "menu", "exit", "quit")
"""How examples begin that wait for somebody to press keys, or leave."""

TOPICS: dict[str, Topic] = {
    "move": Topic(
        "bring axes somewhere, see where they are",
        (
            ("umv(robx, 1, roby, 2)", "move axes together, and show where they are meanwhile"),
            ("umvr(robx, 0.1)", "the same by a distance; mvr shows nothing"),
            ("mv(robx, 1)", "move without a display; all limits are checked before anything moves"),
            ("move({robx: 1, roby: 2})", "all kinds of moves in one: relative=, dial=, wait="),
            ("wa()", "where all axes are; wu() user positions only"),
            ("wm(robx, roby)", "where some are, with limits and offsets"),
            ("sta()", "states of all axes; stm(robx) of some"),
            ("lsmot()", "which axes there are"),
            ("tweak(robx)", "move by the arrow keys"),
            ("robx.limits = -10, 10", "what an axis has beside: velocity, acceleration, offset, position"),
            ("sync(robx)", "take the position of the hardware for the true one"),
            ("with rockit(robx, 0.2): ct(0.1)", "an axis goes to and fro while something is counted"),
            ("with cleanup(robx): mv(robx, 0.5)", "stop axes whatever happens, or bring them back"),
        ),
        ("mvd", "mvdr", "umvd", "umvdr", "stm", "wu", "tweak_cli", "error_cleanup", "capture_exceptions", "SoftAxis"),
        "docs/motion.md",
    ),
    "count": Topic(
        "read counters once or many times",
        (
            ("ct(0.1)", "count the active measurement group; nothing is saved"),
            ("ct(0.1, diode)", "count what is named"),
            ("sct(0.1, diode)", "count, and save"),
            ("loopscan(5, 0.1, diode)", "five times"),
            ("timescan(0.1, diode, npoints=3)", "again and again, without npoints until Ctrl-C"),
            ("lscnt()", "which counters there are"),
            ("ACTIVE_MG", "what is counted when nothing is named"),
            ("lsmg()", "which measurement groups there are"),
            ("limastat()", "what cameras do"),
            ("limatake(0.1, 2, camera)", "take images"),
            ("start_monitoring('beam', 0.1, diode)", "count in the background, between the scans"),
            ("stop_all_monitoring()", "no more of that; stop_monitoring('beam') of one"),
        ),
        ("stop_monitoring", "MONITORING_SCANS", "SoftCounter", "DEFAULT_CHAIN", "lsct"),
        "docs/counters.md",
    ),
    "scan": Topic(
        "count along axes",
        (
            ("ascan(robx, 0, 1, 10, 0.1, diode)", "from 0 to 1 in 10 intervals, 0.1 s each"),
            ("dscan(robx, -0.5, 0.5, 10, 0.1, diode)", "around where the axis is, and back there"),
            ("a2scan(robx, 0, 1, roby, 5, 3, 4, 0.1, diode)", "axes together; a3scan, d2scan, ..."),
            ("amesh(robx, 0, 1, 3, roby, 0, 1, 2, 0.01, diode)", "a mesh of axes; dmesh around where they are"),
            ("pointscan(robx, [0, 0.1, 1], 0.1, diode)", "positions of a list"),
            ("lookupscan([(robx, [0, 1]), (roby, [3, 2])], 0.1, diode)", "lists of several axes"),
            ("aspiral(robx, 0, 0.2, roby, 0, 0.2, 0.1, 0.01, diode)", "from a middle outwards"),
            ("adaptive_ascan(robx, -1, 1, 0.02, 0.4, 50, 0.01, sim_ct_gauss)", "fine steps where something happens"),
            ("s = ascan(robx, 0, 1, 10, 0.1, diode, run=False)", "only make it; s.run() runs it"),
            (
                "with Sequence(title='two').sequence_context() as q: q.add_and_run(loopscan(2, 0.1, diode, run=False))",
                "scans bundled",
            ),
            ("Group(SCANS[-1], SCANS[-2], title='both')", "bundle scans that have run"),
        ),
        (
            *("a3scan", "a4scan", "a5scan", "anscan", "d2scan", "d3scan", "d4scan", "d5scan", "dnscan"),
            *("dmesh", "a3mesh", "d3mesh", "anmesh", "dnmesh", "adaptive_dscan"),
            *("aspiral_fermat", "aspiral_square", "dspiral", "dspiral_fermat", "dspiral_square"),
        ),
        "docs/scans.md",
    ),
    "peak": Topic(
        "find peaks and edges in scans, and go there",
        (
            ("plotselect(sim_ct_gauss)", "the counter that all of these look at, and plots show"),
            ("ascan(robx, -1, 1, 20, 0.01, sim_ct_gauss)", "something to look at"),
            ("cen()", "the centre of the peak, or of the edge, in the last scan"),
            ("goto_cen()", "go there; goto_peak, goto_com, goto_min"),
            ("fwhm()", "its full width at half maximum; peak(), com(), trough()"),
            ("where()", "where the axis is on the curve"),
            ("lineup(robx, -0.5, 0.5, 10, 0.01, sim_ct_gauss)", "scan, and go to the peak"),
        ),
        (
            "com",
            "peak",
            "trough",
            "goto_com",
            "goto_peak",
            "goto_min",
            "goto_custom",
            "find_position",
            "meshselect",
            "plotinit",
        ),
        "docs/scan-tools.md",
    ),
    "look": Topic(
        "look at scans, while they run and afterwards",
        (
            ("SCAN_DISPLAY.plot = 'spark'", "what is shown of a scan that runs: 'plot', 'off'; table, statistics"),
            ("SCAN_DISPLAY.counters = 'sim*', diode", "the counters of the table; [] all, or those of plotselect"),
            ("subscribe(print, kind='ct')", "call a function with every event of scans; unsubscribe(print)"),
            ("unsubscribe(print)", "no more of that"),
            ("SCANS", "the last scans; SCANS.get(12), SCANS['ascan'] find past ones"),
            ("SCANS[-1]", "the last one again"),
            ("plot()", "its curve, map, spectrum or image; plot(diode, log=True), plot(12), plot(SCANS[-2])"),
            ("plot(sim_ct_gauss, scan=SCANS[-1], fit=True)", "with a fit through it; fit='voigt', fit='edge'"),
            ("SCANS[-1].get_data(robx)", "the points of an axis or a counter, an array"),
            ("time_profile()", "where the time of the last scan went; time_profile(SCANS[-2]), time_profile(12)"),
        ),
        ("metadata_profiling",),
        "docs/live.md",
    ),
    "data": Topic(
        "where data go, and what is said of them",
        (
            ("SCAN_SAVING", "where files go"),
            ("SCAN_SAVING.data_filename = 'grid'", "another file; with a data policy: newsample, newdataset, ..."),
            ("SAMPLE('lysozyme 3', temperature=100)", "what is in the beam: written with every scan"),
            ("USER('Anna Weber')", "who measures"),
        ),
        ("newproposal", "newsample", "newcollection", "newdataset", "endproposal", "enddataset"),
        "docs/saving.md",
    ),
    "devices": Topic(
        "objects of the session and of the configuration",
        (
            ("diode", "what a device is, and how it does; diode? says more"),
            ("info(robx)", "the same as a text, for macros"),
            ("config.get('robx')", "any object of the configuration by its name"),
            ("lsconfig('*gap*')", "all objects of the configuration, by file"),
            ("ALIASES", "other names of axes and counters"),
            ("lslock()", "what other sessions hold"),
            ("resetup()", "read the configuration again; what has changed is made anew"),
            ("current_session", "the session itself"),
        ),
        (),
        "docs/sessions.md",
    ),
    "scripts": Topic(
        "functions of your own",
        (
            ("align(robx, -1, 1, 10, 0.01)", "what setup files define is there by its name"),
            ("with bench(): loopscan(2, 0.1, diode)", "how long something takes"),
            ("sqrt(2) * sin(deg2rad(30))", "functions of numpy; numpy itself is imported as everywhere"),
            ("sleep(0.1)", "wait; countdown(10) shows it"),
            ("user_script_list()", "your scripts; user_script_load('name') loads one"),
            ("user_script_homedir()", "where they are"),
        ),
        (
            *(
                "load_script",
                "user_script_load",
                "user_script_run",
                "arccos",
                "arcsin",
                "arctan",
                "arctan2",
                "cos",
                "exp",
            ),
            *("log", "log10", "pi", "power", "rad2deg", "tan", "rand", "date", "pprint"),
        ),
        "docs/sessions.md",
    ),
    "ask": Topic(
        "questions that your functions ask",
        (
            ("ask_yes_no('Open the shutter?')", "True or False"),
            ("ask_number('Position', 0, 10, unit='mm')", "a number within limits"),
            ("ask_choice('Counter', [diode, diode2])", "one of several; ask_choices several of them"),
            ("ask_text('Sample')", "a line of text"),
            ("ask_form('Scan', {'start': 0.0, 'stop': 1.0, 'intervals': 10})", "several at once: a dict"),
            ("show_message('The hutch is searched.')", "tell something that is not to be missed"),
            ("edit_mg()", "choose what the active measurement group counts"),
            ("menu(robx)", "what a device offers to be set"),
        ),
        ("ask_choices",),
        "docs/how-to/dialogs.md",
    ),
    "errors": Topic(
        "what went wrong, and what goes on",
        (
            ("last_error()", "where the last error came from; last_error(3) of number 3"),
            ("ERROR_REPORT", "all errors so far"),
            ("debugon(robx)", "show what a device is told and answers"),
            ("debugoff()", "no more of that"),
            ("lslog('rob*')", "what can be debugged; lsdebug() what is"),
        ),
        ("lsdebug",),
        "docs/shell.md",
    ),
    "logbook": Topic(
        "what is to be remembered",
        (
            ("elog_print('beam is back')", "a note; elog_add() what the last command has printed"),
            ("elog_add(SCANS[-1])", "the table of a scan"),
            ("elog_plot()", "the last scan, as a plot; elog_plot(fit=True) with a fit"),
            ("current_session.logbook", "where notes go"),
            ("log_stdout(SCAN_SAVING.base_path)", "all that is typed and shown goes to a file in that directory, too"),
            ("log_stdout(False)", "no more of that"),
        ),
        (),
        "docs/logbook.md",
    ),
    "shell": Topic(
        "the prompt itself",
        (
            ("help(ascan)", "how a command is called, and what it does; ascan? is shorter"),
            ("help('scan')", "the commands of a topic"),
            ("lsobj('rob*')", "the objects of the session by name, what they are"),
            ("prdef(align)", "the source of a function, and where it is"),
            ("clear()", "an empty screen"),
            ("countdown(0.5, 'pumping')", "wait, and show how long it still takes"),
            ("with status_line('heating') as line: line.show('31 K')", "what a macro is at"),
            ("exit()", "leave the session, as Ctrl-D does"),
        ),
        ("quit",),
        "docs/shell.md",
    ),
}
