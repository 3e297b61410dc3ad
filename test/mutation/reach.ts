/**
 * Which test reaches which block of the product. The source is changed as it is loaded: each block first
 * names itself to `globalThis.tandemReach`, which `reach-setup.ts` provides in the process of the tests.
 */
import ts from "typescript";

/** A block of one file, by its offsets. A place belongs to the innermost block around it. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** Every block whose run can be told: bodies of functions, branches, loops. */
export function blocksOf(file: string, text: string): readonly Block[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Block[] = [];
  function visit(node: ts.Node): void {
    if (ts.isBlock(node)) found.push({ start: node.getStart(source), end: node.end });
    else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      found.push({ start: node.body.getStart(source), end: node.body.end });
    }
    ts.forEachChild(node, visit);
  }
  visit(source);
  return found;
}

/** The text in which each block tells `FILE:NUMBER` as it is entered. Lines stay as they are. */
export function instrumented(file: string, text: string): string {
  const changes = blocksOf(file, text).flatMap(({ start, end }, number) => {
    const tell = `globalThis.tandemReach?.(${JSON.stringify(`${file}:${number}`)})`;
    return text[start] === "{"
      ? [{ at: start + 1, put: `${tell};` }]
      : [
          { at: start, put: `(${tell}, (` },
          { at: end, put: "))" },
        ];
  });
  // From the end, so that offsets stay true. The later of two at one offset closes the inner block.
  let changed = text;
  for (const { at, put } of changes.sort((a, b) => b.at - a.at)) {
    changed = changed.slice(0, at) + put + changed.slice(at);
  }
  return changed;
}

/** The number of the innermost block around an offset; `null` where there is none. */
export function blockAt(blocks: readonly Block[], offset: number): number | null {
  let innermost: number | null = null;
  blocks.forEach(({ start, end }, number) => {
    if (start <= offset && offset < end) innermost = number;
  });
  return innermost;
}
