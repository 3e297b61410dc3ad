/** `COPY ... FROM STDIN` of one text, with the driver's own connection. */
import type pg from "pg";

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** @param text Lines in COPY's text format. */
export function copyIn(client: pg.Client, statement: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const copy = {
      submit: (connection: CopyConnection) => {
        connection.query(statement);
      },
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(Buffer.from(text));
        connection.endCopyFrom();
      },
      handleError(error: Error) {
        failure = error;
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery() {
        if (failure === null) resolve();
        else reject(failure);
      },
    };
    client.query(copy as unknown as pg.Submittable);
  });
}

/** Escapes a value for COPY's text format. */
export function copyValue(value: string): string {
  return value.replaceAll(/[\\\t\n\r]/g, (sign) =>
    sign === "\\" ? "\\\\" : sign === "\t" ? "\\t" : sign === "\n" ? "\\n" : "\\r",
  );
}
