/** A task or an issue in its pane: one line that opens an editor. It flashes when it changes. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../elements/index.ts";

export function Card({
  id,
  name,
  title,
  muted,
  content,
  comments,
  difference,
  lead,
  meta,
  extra,
  children,
}: {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly muted: boolean;
  /** The visible content: the card flashes when it changes. */
  readonly content: unknown;
  readonly comments: number;
  /** The difference from the other side. */
  readonly difference: string | undefined;
  readonly lead: ComponentChildren;
  readonly meta: ComponentChildren;
  readonly extra: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const [expanded, setExpanded] = useState(false);
  const card = useRef<HTMLLIElement>(null);
  useFlash(card, JSON.stringify(content));
  const classes = ["card", muted ? "muted" : "", difference === undefined ? "" : "differs"];
  return (
    <li ref={card} id={id} class={classes.join(" ")}>
      <div class="card-line">
        {lead}
        <button
          type="button"
          class="card-title"
          aria-expanded={expanded}
          aria-label={`${name}: ${title}`}
          onClick={() => setExpanded(!expanded)}
        >
          {title}
        </button>
      </div>
      <div class="card-meta faint">
        {meta}
        {comments === 0 ? null : (
          <span class="comment-count" title={`${comments} comments`}>
            <Icon name="comment" /> {comments}
          </span>
        )}
        {difference === undefined ? null : <span class="tag warning">differs: {difference}</span>}
      </div>
      {expanded ? (
        <div class="card-body">
          {children}
          <div class="card-extra">{extra}</div>
        </div>
      ) : null}
    </li>
  );
}

/** Highlights an element briefly each time its content changes after the first drawing. */
function useFlash(element: { current: HTMLElement | null }, content: string): void {
  const before = useRef(content);
  useEffect(() => {
    if (before.current === content) return;
    before.current = content;
    const { current } = element;
    if (current === null) return;
    current.classList.remove("changed");
    // Reading a layout value in between restarts the animation.
    current.getBoundingClientRect();
    current.classList.add("changed");
  }, [content, element]);
}
