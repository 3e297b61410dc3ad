/** The demo's trouble buttons: what may go wrong in the real world, one click each. */
import type { DemoTrouble } from "../../demo/api-types.ts";
import { Icon } from "../icons.tsx";
import { send } from "../request.ts";
import { clockTime } from "../wording.ts";

const GROUPS = [
  ["webhooks", "Webhooks"],
  ["api", "GitHub's API"],
  ["edits", "Edits"],
  ["worker", "Worker"],
] as const;

export function TroubleBar({
  troubles,
  failed,
}: {
  readonly troubles: readonly DemoTrouble[];
  readonly failed: (error: unknown) => void;
}) {
  return (
    <section class="troubles" aria-label="Make trouble">
      <h2>
        <Icon name="bolt" /> Make trouble
      </h2>
      {GROUPS.map(([group, name]) => {
        const buttons = troubles.filter((trouble) => trouble.group === group);
        if (buttons.length === 0) return null;
        return (
          <div key={group} class="trouble-group" role="group" aria-label={name}>
            <span class="faint">{name}</span>
            {buttons.map((trouble) => (
              <Trouble key={trouble.id} trouble={trouble} failed={failed} />
            ))}
          </div>
        );
      })}
    </section>
  );
}

function Trouble({
  trouble,
  failed,
}: {
  readonly trouble: DemoTrouble;
  readonly failed: (error: unknown) => void;
}) {
  const { id, kind, on, until, label, explanation } = trouble;
  const press = (): void => {
    send("POST", `/demo/trouble/${id}`, kind === "toggle" ? { on: !on } : {}).catch(failed);
  };
  return (
    <button
      type="button"
      class={`small trouble ${on ? "on" : ""}`}
      data-trouble={id}
      title={explanation}
      disabled={trouble.disabled}
      {...(kind === "toggle" ? { "aria-pressed": on } : {})}
      onClick={press}
    >
      {label}
      {until === null ? null : ` until ${clockTime(until)}`}
    </button>
  );
}
