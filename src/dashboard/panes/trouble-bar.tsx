/** The demo's trouble buttons: failures of the real world, one click each. */
import { useState } from "preact/hooks";
import type { DemoTrouble, TroubleId } from "../../demo/api-types.ts";
import { Icon } from "../elements/index.ts";
import { clockTime, send } from "../data/index.ts";

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
  const [told, setTold] = useState<TroubleId | null>(null);
  const explanation = troubles.find((trouble) => trouble.id === told)?.explanation;
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
              <Trouble key={trouble.id} trouble={trouble} tell={setTold} failed={failed} />
            ))}
          </div>
        );
      })}
      <p id="trouble-told" class="told faint">
        {explanation ?? "Failures of the real world, one click each. Both sides agree in the end."}
      </p>
    </section>
  );
}

function Trouble({
  trouble,
  tell,
  failed,
}: {
  readonly trouble: DemoTrouble;
  /** Shows the explanation of a button. */
  readonly tell: (id: TroubleId) => void;
  readonly failed: (error: unknown) => void;
}) {
  const { id, kind, on, until, label } = trouble;
  const press = (): void => {
    send("POST", `/demo/trouble/${id}`, kind === "toggle" ? { on: !on } : {}).catch(failed);
  };
  return (
    <button
      type="button"
      class={`small trouble ${on ? "on" : ""}`}
      data-trouble={id}
      aria-describedby="trouble-told"
      onFocus={() => tell(id)}
      onMouseEnter={() => tell(id)}
      disabled={trouble.disabled}
      {...(kind === "toggle" ? { "aria-pressed": on } : {})}
      onClick={press}
    >
      {label}
      {until === null ? null : ` until ${clockTime(until)}`}
    </button>
  );
}
