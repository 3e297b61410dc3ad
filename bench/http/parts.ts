/** All parts by name. */
import { probotPart } from "../peers/probot.ts";
import { apiPart } from "./api.ts";
import { directPart, insertPart } from "./by-hand.ts";
import { fetchingPart } from "./fetching.ts";
import { listeningPart } from "./listening.ts";
import { tandemPart } from "./tandem.ts";

export const PARTS = {
  tandem: tandemPart,
  insert: insertPart,
  direct: directPart,
  probot: probotPart,
  listening: listeningPart,
  api: apiPart,
  fetching: fetchingPart,
};
