/** Addresses that other systems give us, and that pages show as links. */

/**
 * The address, where it is one of the web: http or https. Anything else, such as `javascript:`, would run
 * in the page that shows it as a link.
 */
export function webAddress(text: string | undefined): string | null {
  if (text === undefined || !URL.canParse(text)) return null;
  return ["http:", "https:"].includes(new URL(text).protocol) ? text : null;
}
