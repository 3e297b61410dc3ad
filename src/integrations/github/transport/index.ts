/**
 * One request to GitHub and its response: time-outs, classified errors, and payloads.
 *
 * 1. A request is sent once. Nothing here retries, waits or follows a redirect.
 * 2. A failure is classified by status, headers and error codes, never by text.
 * 3. JSON is parsed exactly, so ids beyond 2^53 survive.
 */
export {
  credentialsError,
  endlessPages,
  foreignAddress,
  impossible,
  malformedAnswer,
  movedFurther,
} from "./errors.ts";
export {
  actionShape,
  appShape,
  arrivalShape,
  commentEventShape,
  type CommentPayload,
  commentShape,
  deliveryItemShape,
  departureShape,
  installationEventShape,
  installationRepositoriesEventShape,
  installationShape,
  installationTokenShape,
  issueEventShape,
  type IssuePayload,
  issueShape,
  labelsShape,
  nameOfLabel,
  readJson,
  readPayload,
  repositoryEventShape,
  repositoryShape,
  userShape,
} from "./payload.ts";
export {
  type Answer,
  instantOfDate,
  isRedirect,
  readAnswer,
  requestIdOf,
  Transport,
  type UnsignedRequest,
} from "./transport.ts";
