/** The demo's panes: the app's tasks, GitHub's issues, and the trouble that a visitor can switch on. */
export { IssuesPane } from "./issues-pane.tsx";
export { TasksPane } from "./tasks-pane.tsx";
export { TroubleBar } from "./trouble-bar.tsx";
