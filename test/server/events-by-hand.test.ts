/** Events that a person looks at, restarts or cancels: what can be done with which, and what is said of the rest. */
import { expect, it } from "vitest";
import type { ApiEvent, ApiEvents, ApiProblem } from "../../src/server/protocol/api-types.ts";
import { describeOnOneDatabase } from "../harness/databases.ts";
import { catchRequest, PATCH_ISSUE } from "../harness/in-flight.ts";
import { givenSampleTandem, type SampleTandem } from "../harness/sample-tandem.ts";

async function ask(app: SampleTandem, method: "GET" | "POST", path: string) {
  const answer = await app.tandem.fetch(new Request(`http://localhost/api/${path}`, { method }));
  return { status: answer.status, body: (await answer.json()) as ApiEvent | ApiProblem };
}

function wrongState(message: string, hint: string) {
  return { status: 409, body: { error: { code: "wrong_state", message, hint } } };
}

const HISTORY =
  "Terminal events are history and never change; a new observation makes a new event.";

describeOnOneDatabase("an event", (open) => {
  it("is shown by its id as the list shows it", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "One" });
    await app.settle();
    const [event] = await app.events();
    const shown = await ask(app, "GET", `events/${event?.id ?? ""}`);
    expect(shown).toEqual({ status: 200, body: event });
  });

  it("is on one page of the list, newest first, and the last page has none behind it", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "One" });
    await app.settle();
    const all = (await app.events()).map(({ id }) => id).reverse();
    expect(all).toHaveLength(2);
    const page = async (query: string) => {
      const answer = await app.tandem.fetch(new Request(`http://localhost/api/events?${query}`));
      const { events, next } = (await answer.json()) as ApiEvents;
      return { ids: events.map(({ id }) => id), next };
    };
    expect(await page("limit=1")).toEqual({ ids: all.slice(0, 1), next: all[0] });
    expect(await page(`limit=2&before=${all[0] ?? ""}`)).toEqual({
      ids: all.slice(1),
      next: null,
    });
  });

  it("that has ended is neither restarted nor canceled", async () => {
    const app = await givenSampleTandem(await open());
    await app.addTask({ title: "One" });
    await app.settle();
    const [event] = await app.events();
    const path = `events/${event?.id ?? ""}`;
    expect(await ask(app, "POST", `${path}/restart`)).toEqual(
      wrongState("the event is completed; this is possible only while it is errored", HISTORY),
    );
    expect(await ask(app, "POST", `${path}/cancel`)).toEqual(
      wrongState(
        "the event is completed; this is possible only while it is queued or errored",
        HISTORY,
      ),
    );
    expect(await ask(app, "GET", path)).toEqual({ status: 200, body: event });
  });

  it("that a worker is at is left to it", async () => {
    const app = await givenSampleTandem(await open());
    const task = await app.addTask({ title: "One" });
    await app.settle();
    await app.editTask(task, { title: "Two" });
    const sent = await catchRequest(app, PATCH_ISSUE);
    const [event] = await app.events("state=processing");
    expect(await ask(app, "POST", `events/${event?.id ?? ""}/cancel`)).toEqual(
      wrongState(
        "the event is processing; this is possible only while it is queued or errored",
        "A worker is processing it: look again in a moment.",
      ),
    );
    await sent.answer();
    expect(await app.story("direction=outbound")).toEqual([
      "outbound completed created_resource",
      "outbound completed updated_resource",
    ]);
  });
});
