/**
 * A `Response` whose text is in memory. It becomes a stream only if the caller asks for one: most callers
 * ask for the text, and a stream would be most of the cost of such a request.
 */
export class TextResponse extends Response {
  readonly #text: string | null;
  readonly #init: ResponseInit;
  /** An ordinary response with the same content, made when a caller needs what only that can do. */
  #ordinary: Response | null = null;
  #isRead = false;

  constructor(text: string | null, init: ResponseInit) {
    super(null, init);
    this.#text = text;
    this.#init = init;
  }

  override get body(): Response["body"] {
    return this.#text === null || this.#isRead ? null : this.#asOrdinary().body;
  }

  override get bodyUsed(): boolean {
    return this.#isRead || this.#ordinary?.bodyUsed === true;
  }

  override async text(): Promise<string> {
    // Reading the property `body` has no effect; only reading from the stream has.
    if (this.#ordinary?.body?.locked === true || this.bodyUsed) return this.#asOrdinary().text();
    this.#isRead = this.#text !== null;
    return this.#text ?? "";
  }

  override async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#asOrdinary().arrayBuffer();
  }

  override blob(): Promise<Blob> {
    return this.#asOrdinary().blob();
  }

  override formData(): Promise<FormData> {
    return this.#asOrdinary().formData();
  }

  override clone(): Response {
    if (this.bodyUsed) throw new TypeError("Response.clone: Body has already been consumed.");
    const copy = new TextResponse(this.#text, this.#init);
    for (const name of ["url", "redirected"] as const) {
      Object.defineProperty(copy, name, { value: this[name] });
    }
    return copy;
  }

  #asOrdinary(): Response {
    if (this.#isRead) throw new TypeError("Body is unusable: Body has already been read");
    return (this.#ordinary ??= new Response(this.#text, this.#init));
  }
}
