/**
 * GitHub's log of an App's webhooks, and its redelivery of them. GitHub keeps the log for three days and
 * never redelivers without a request. Only the App may ask: no token and no installation.
 */
import { z } from "zod";
import type { DeliveryAttempt } from "../../model/missed-delivery.ts";
import type { DeliveryLog, DeliveryLogPage } from "../integration.ts";
import type { Api, Login } from "./access/index.ts";
import { nextLink } from "./listing.ts";
import { deliveryItemShape, readAnswer } from "./transport/index.ts";
import { isRepeatable } from "./translate.ts";

type AppLogin = Extract<Login, { kind: "app" }>;

const FIRST_PAGE = "/app/hook/deliveries?per_page=100";

const itemsShape = z.array(deliveryItemShape);

export function deliveryLog(api: Api, login: AppLogin): DeliveryLog {
  return {
    name: `${api.transport.baseUrl} app ${login.appId}`,
    async page(cursor, signal): Promise<DeliveryLogPage> {
      const url = cursor === null ? FIRST_PAGE : api.ownAddress(cursor);
      const answer = await api.sendAsApp(login, { method: "GET", url, signal });
      const items = readAnswer(itemsShape, answer);
      const next = nextLink(answer.headers.link);
      return {
        attempts: items.map(readAttempt),
        cursor: next === null ? null : api.ownAddress(next),
      };
    },
    async redeliver(attemptId, signal) {
      const url = `/app/hook/deliveries/${encodeURIComponent(attemptId)}/attempts`;
      await api.sendAsApp(login, { method: "POST", url, signal });
    },
  };
}

function readAttempt(item: z.infer<typeof deliveryItemShape>): DeliveryLogPage["attempts"][number] {
  const attempt: DeliveryAttempt = {
    attemptId: item.id,
    deliveryKey: item.guid,
    event: item.event,
    at: item.delivered_at,
    status: item.status_code,
    // GitHub counts a redirect as a success, but no receiver has stored the webhook.
    succeeded: item.status_code >= 200 && item.status_code < 300,
  };
  return {
    ...attempt,
    installationId: item.installation_id,
    isRepeatable: isRepeatable(item.event),
  };
}
