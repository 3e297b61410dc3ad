/** A link to an address that another system gave: the last place where `javascript:` is stopped. */
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
