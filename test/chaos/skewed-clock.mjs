/**
 * Imported before a process's own code: its clock is wrong by `TANDEM_TEST_CLOCK_AHEAD_MS`, and steps back by
 * ten minutes at each SIGUSR2. Timers go by the machine's steady clock, as they do where a real clock is set.
 */
const RealDate = Date;
const STEP_MS = 600_000;
let ahead = Number(process.env.TANDEM_TEST_CLOCK_AHEAD_MS ?? 0);

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead);
    else super(...given);
  }
  static now() {
    return RealDate.now() + ahead;
  }
};

process.on("SIGUSR2", () => {
  ahead -= STEP_MS;
});
