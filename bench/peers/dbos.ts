/** DBOS: a queue with a partition for each issue, with one running workflow per partition. */
import { CONCURRENCY, CONNECTIONS, type Job, keyOf, load, type Peer } from "./peer.ts";

interface Library {
  readonly DBOS: {
    setConfig(config: object): void;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
    registerQueue(name: string, options: object): Promise<unknown>;
    registerWorkflow(workflow: Workflow, options: { name: string }): Workflow;
  };
}

/** The functions by which event receivers for DBOS enqueue many events in one call. */
interface Receivers {
  readonly prepareEnqueuedWorkflow: (
    workflow: Workflow,
    args: readonly [Job],
    options: { queueName: string; workflowID: string; queuePartitionKey: string },
  ) => Promise<object>;
  readonly enqueueWorkflows: (workflows: readonly object[]) => Promise<unknown>;
}

type Workflow = (job: Job) => Promise<void>;

const QUEUE = "deliveries";

async function launch(url: string, place: number, handle: Workflow) {
  const { DBOS } = await load<Library>("@dbos-inc/dbos-sdk");
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: url,
    systemDatabasePoolSize: CONNECTIONS,
    executorID: `bench-${String(place)}`,
    applicationVersion: "bench",
    logLevel: "error",
  });
  const workflow = DBOS.registerWorkflow(handle, { name: "deliver" });
  await DBOS.launch();
  return { DBOS, workflow };
}

export const dbos: Peer = {
  async prepare(url) {
    const { DBOS } = await launch(url, 0, () => Promise.resolve());
    await DBOS.registerQueue(QUEUE, {
      partitionConcurrency: 1,
      workerConcurrency: 10 * CONCURRENCY,
      // DBOS polls, without notifications.
      minPollingIntervalMs: 10,
    });
    await DBOS.shutdown();
  },
  async open({ url, process, handle }) {
    const { DBOS, workflow } = await launch(url, process, handle);
    const { prepareEnqueuedWorkflow, enqueueWorkflows } = await load<Receivers>(
      "@dbos-inc/dbos-sdk/eventreceiver",
    );
    return {
      async enqueue(jobs) {
        const prepared = jobs.map((job) =>
          prepareEnqueuedWorkflow(workflow, [job], {
            queueName: QUEUE,
            workflowID: job.delivery,
            queuePartitionKey: keyOf(job),
          }),
        );
        await enqueueWorkflows(await Promise.all(prepared));
      },
      close: () => DBOS.shutdown(),
    };
  },
};
