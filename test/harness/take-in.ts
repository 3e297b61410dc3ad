/** Ingests webhooks as the receiver does while workers run beside it. */
import { deliveryId } from "../../src/model/ids.ts";
import type { SampleTandem } from "./sample-tandem.ts";

/** Hands over at once every webhook that is held, as the receiver does; nobody else works. */
export async function takeIn(app: SampleTandem) {
  const { services, receive } = app.tandem;
  return receive(
    app.held().map(({ guid, event, body }) => ({
      id: deliveryId(services.newEventId(services.clock.now())),
      integration: "github",
      deliveryKey: guid,
      event,
      payload: body,
      verifiedBy: null,
    })),
  );
}
