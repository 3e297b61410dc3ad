/** The sample app's tables, with the project and the user with whom every situation begins. */
import { SAMPLE_SCHEMA } from "../../src/demo/sample-schema.ts";

export const SAMPLE = `${SAMPLE_SCHEMA};
  insert into projects (name) values ('Site');
  insert into users (name, github_login) values ('Mona', 'mona')`;
