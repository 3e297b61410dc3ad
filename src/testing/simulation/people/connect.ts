/** Creates a world's repositories at GitHub, and connects those that have a project to it. */
import { TEST_LOGIN, TEST_REPOSITORY, TEST_SECRET, type TestTandem } from "../../test-tandem.ts";
import { ASSIGNABLE } from "./assignees.ts";
import {
  accountOf,
  type ConnectedSite,
  projectOf,
  repositoriesOf,
  type Site,
  type WorldKind,
} from "../world/index.ts";

export interface Sites {
  readonly places: readonly ConnectedSite[];
  /** All repositories, connected ones first. */
  readonly sites: readonly Site[];
}

export async function connectAll(test: TestTandem, kind: WorldKind, seed: number): Promise<Sites> {
  const { github } = test;
  const places: ConnectedSite[] = [];
  const outside: Site[] = [];
  for (const repository of repositoriesOf(kind)) {
    const [owner = "", name = ""] = repository.split("/");
    if (repository !== TEST_REPOSITORY) github.createRepository({ owner, name });
    const site = { repository, id: github.repository(repository).id };
    const project = projectOf(kind, repository);
    if (project === null) outside.push(site);
    else if (repository === TEST_REPOSITORY) {
      places.push({ ...site, project, connection: test.connection.id });
    } else
      places.push({ ...site, project, connection: await join(test, repository, project, seed) });
  }
  if (kind === "polling") for (const login of ASSIGNABLE) github.createUser({ login });
  github.clearRequests();
  return { places, sites: [...places, ...outside] };
}

async function join(
  { tandem, github }: TestTandem,
  container: string,
  scope: string,
  seed: number,
): Promise<ConnectedSite["connection"]> {
  const account = accountOf(container, seed);
  if (account.login !== TEST_LOGIN) {
    github.createUser({ login: account.login, type: "Bot" });
    github.token(account.token, { login: account.login });
  }
  const { id } = await tandem.connect({
    account: {
      name: account.name,
      integration: "github",
      credentials: { token: account.token, baseUrl: github.apiUrl },
      webhookSecret: TEST_SECRET,
    },
    container,
    scope,
  });
  return id;
}
