/**
 * Small parts of the page that know no data: icons, a sheet, links, notices.
 *
 * 1. Only http and https addresses become links.
 */
export { contrast, excerpt } from "./contrast.ts";
export { Icon, Logo, StateIcon } from "./icons.tsx";
export { type Notice, Notices } from "./notices.tsx";
export { Sheet } from "./sheet.tsx";
export { WebLink } from "./web-link.tsx";
