/** The page's icons. All are decoration: the text beside them has the same meaning. */
import type { EventState } from "../../model/event.ts";

const PATHS = {
  queued: "M8 4.2V8l2.4 1.6",
  processing: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7",
  completed: "m4.6 8.4 2.3 2.3 4.6-5",
  errored: "M8 4.4v4.2M8 11.2v.1",
  canceled: "m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8",
  ignored: "M5 8h6",
  duplicate: "M5 6.4h6M5 9.6h6",
  disabled: "M6.4 5.4v5.2M9.6 5.4v5.2",
  right: "M2.5 8h11M9.5 4l4 4-4 4",
  left: "M13.5 8h-11M6.5 4l-4 4 4 4",
  open: "m4 6 4 4 4-4",
  up: "m4 10 4-4 4 4",
  plus: "M8 3.5v9M3.5 8h9",
  cross: "m4.5 4.5 7 7M11.5 4.5l-7 7",
  comment: "M3 3.5h10v7H8l-3 2.6v-2.6H3z",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4zM10.2 10.2l3.2 3.2",
  bolt: "M9 2 4 9h3.5L7 14l5-7H8.5z",
  link: "M9.5 3.5h3v3M12.5 3.5 7.5 8.5M11 9.5v3H3.5V5h3",
  issueOpen: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 7.8v.4",
  issueClosed: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM5.6 8.2l1.7 1.7 3.1-3.6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function StateIcon({ state }: { readonly state: EventState }) {
  return (
    <svg class={`icon icon-${state}`} viewBox="0 0 16 16" aria-hidden="true">
      {state === "processing" ? null : <circle cx="8" cy="8" r="6.4" />}
      <path d={PATHS[state]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="9" cy="20" r="6.2" />
      <circle cx="23" cy="20" r="6.2" />
      <path d="M9 20 14 9h6l3 11" />
    </svg>
  );
}
