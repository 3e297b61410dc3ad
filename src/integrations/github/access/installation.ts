/** The state of an App's installation. Only the App itself may ask, even while the installation is suspended. */
import { type InstallationClient, IntegrationError } from "../../integration.ts";
import type { Api } from "./api.ts";
import type { Login } from "./credentials.ts";
import { installationShape, readAnswer } from "../transport/index.ts";

export function installationClient(
  api: Api,
  login: Extract<Login, { kind: "app" }>,
): InstallationClient {
  async function read(url: string, signal: AbortSignal | undefined) {
    try {
      const answer = await api.sendAsApp(login, { method: "GET", url, signal });
      return readAnswer(installationShape, answer);
    } catch (thrown) {
      if (thrown instanceof IntegrationError && thrown.kind === "not_found") return null;
      throw thrown;
    }
  }
  return {
    async state(signal) {
      const found = await read(`/app/installations/${login.installationId}`, signal);
      if (found === null) return "gone";
      return found.suspended_at == null ? "active" : "suspended";
    },
    async includes(containerId, signal) {
      const found = await read(`${api.repositoryPath(containerId)}/installation`, signal);
      return found?.id === login.installationId;
    },
  };
}
