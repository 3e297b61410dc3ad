/**
 * Classic mutants: small faults at places that nobody chose. Every place of the product where one of
 * seven operators applies gives one mutant. A sample is drawn by hash, so a change elsewhere in the code
 * leaves the sample as it is.
 */
import { createHash } from "node:crypto";
import ts from "typescript";

export type Operator =
  | "negate condition"
  | "remove call"
  | "drop field"
  | "swap operator"
  | "swap method"
  | "drop predicate"
  | "empty text";

export interface ClassicMutant {
  /** Made of the file, the function, the text and the operator: stays the same while these do. */
  readonly id: string;
  readonly operator: Operator;
  /** Path below the repository's root. */
  readonly file: string;
  /** Line of the change, from 1. */
  readonly line: number;
  /** Offsets into the file's text, and the text that replaces them. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** The text that was there, shortened for people. */
  readonly was: string;
}

const SWAPPED_OPERATORS: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.LessThanToken]: "<=",
  [ts.SyntaxKind.LessThanEqualsToken]: "<",
  [ts.SyntaxKind.GreaterThanToken]: ">=",
  [ts.SyntaxKind.GreaterThanEqualsToken]: ">",
  [ts.SyntaxKind.AmpersandAmpersandToken]: "||",
  [ts.SyntaxKind.BarBarToken]: "&&",
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: "!==",
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: "===",
  [ts.SyntaxKind.PlusToken]: "-",
  [ts.SyntaxKind.MinusToken]: "+",
};

const SWAPPED_METHODS: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  min: "max",
  max: "min",
};

/** A predicate of SQL behind an `and`, up to where the next clause begins. */
const PREDICATE =
  /\band (?:not )?[\w."]+ (?:=|<>|<=|>=|<|>|is|in|like)[^()`$\n]*?(?=\s+(?:and|or|order|limit|for|group|returning|on|then)\b|\n|\)|`|$|;)/g;

interface Change {
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Every classic mutant of one file, in the order of the text. */
export function classicMutants(file: string, text: string): readonly ClassicMutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const seen = new Map<string, number>();
  const found: ClassicMutant[] = [];

  function visit(node: ts.Node, within: string): void {
    if (isTypeOnly(node)) return;
    for (const change of changesOf(node, source)) {
      const was = text.slice(change.start, change.end);
      const subject = [file, within, change.operator, was, change.replacement].join("\0");
      const nth = seen.get(subject) ?? 0;
      seen.set(subject, nth + 1);
      found.push({
        ...change,
        id: `${file.replace(/^src\/|\.ts$/g, "")}#${digestOf(`${subject}\0${nth}`).slice(0, 8)}`,
        file,
        line: source.getLineAndCharacterOfPosition(change.start).line + 1,
        was: was.replace(/\s+/g, " ").slice(0, 100),
      });
    }
    const name = nameOf(node);
    ts.forEachChild(node, (child) => {
      visit(child, name === null ? within : `${within}/${name}`);
    });
  }
  visit(source, "");
  return found;
}

/** The file's text with the fault in it. */
export function withFault(text: string, { start, end, replacement }: ClassicMutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** All mutants in an order that the seed alone decides. */
export function shuffled(
  mutants: readonly ClassicMutant[],
  seed: number,
): readonly ClassicMutant[] {
  return mutants
    .map((mutant) => ({ mutant, rank: digestOf(`${seed}\0${mutant.id}`) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ mutant }) => mutant);
}

function* changesOf(node: ts.Node, source: ts.SourceFile): Iterable<Change> {
  const of = (operator: Operator, part: ts.Node, replacement: string): Change => ({
    operator,
    start: part.getStart(source),
    end: part.end,
    replacement,
  });
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
    yield of("negate condition", node.expression, `!(${node.expression.getText(source)})`);
  } else if (ts.isConditionalExpression(node)) {
    yield of("negate condition", node.condition, `!(${node.condition.getText(source)})`);
  } else if (ts.isExpressionStatement(node) && isRemovable(node.expression)) {
    yield of("remove call", node, ";");
  } else if (ts.isObjectLiteralExpression(node)) {
    for (const property of node.properties) {
      const comma = /^\s*,/.exec(source.text.slice(property.end))?.[0] ?? "";
      const start = property.getStart(source);
      const end = property.end + comma.length;
      if (ts.isPropertyAssignment(property) || ts.isShorthandPropertyAssignment(property)) {
        yield { operator: "drop field", start, end, replacement: "" };
      }
    }
  } else if (ts.isBinaryExpression(node)) {
    const swapped = SWAPPED_OPERATORS[node.operatorToken.kind];
    if (swapped !== undefined) yield of("swap operator", node.operatorToken, swapped);
  } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { name } = node.expression;
    const swapped = Object.hasOwn(SWAPPED_METHODS, name.text) ? SWAPPED_METHODS[name.text] : null;
    if (swapped != null) yield of("swap method", name, swapped);
  } else if (isText(node)) {
    const start = node.getStart(source);
    const text = node.getText(source);
    const predicates = [...text.matchAll(PREDICATE)];
    for (const { index, 0: predicate } of predicates) {
      const end = start + index + predicate.length;
      yield { operator: "drop predicate", start: start + index, end, replacement: "" };
    }
    if (predicates.length === 0 && text.length > 2 && isValue(node)) {
      yield { operator: "empty text", start, end: node.end, replacement: '""' };
    }
  }
}

function isText(node: ts.Node): node is ts.StringLiteralLike | ts.TemplateExpression {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** Names of properties and modules are no texts. */
function isValue({ parent }: ts.Node): boolean {
  return !(
    ts.isImportDeclaration(parent) ||
    ts.isExportDeclaration(parent) ||
    ts.isLiteralTypeNode(parent) ||
    ts.isTaggedTemplateExpression(parent) ||
    ts.isElementAccessExpression(parent)
  );
}

function isRemovable(expression: ts.Expression): boolean {
  if (ts.isAwaitExpression(expression)) return isRemovable(expression.expression);
  return (
    ts.isCallExpression(expression) && expression.expression.kind !== ts.SyntaxKind.SuperKeyword
  );
}

function isTypeOnly(node: ts.Node): boolean {
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function nameOf(node: ts.Node): string | null {
  if (ts.isFunctionLike(node) || ts.isVariableDeclaration(node) || ts.isClassLike(node)) {
    return node.name?.getText() ?? null;
  }
  return null;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
