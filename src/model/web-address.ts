/** Addresses from other systems that pages show as links. */

/**
 * The address if its scheme is http or https. Any other scheme, such as `javascript:`, would run in the page that
 * shows it as a link.
 */
export function webAddress(text: string | undefined): string | null {
  if (text === undefined || !URL.canParse(text)) return null;
  return ["http:", "https:"].includes(new URL(text).protocol) ? text : null;
}
