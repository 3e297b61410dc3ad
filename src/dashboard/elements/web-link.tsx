/** A link to an address from another system: the last place that stops `javascript:`. */
import type { ComponentChildren } from "preact";

export function isWebAddress(text: string | null): text is string {
  return text !== null && /^https?:\/\//i.test(text);
}

export function WebLink({
  to,
  children,
}: {
  readonly to: string | null;
  readonly children: ComponentChildren;
}) {
  return isWebAddress(to) ? (
    <a href={to} rel="noreferrer">
      {children}
    </a>
  ) : (
    <>{children}</>
  );
}
