import type { Rule } from 'eslint';

/**
 * ESLint rule: a choice whose branches are all the same decides nothing, so one of its branches is a mistake. Finds
 * `x ? a : a`, `if … else` and `switch` with a default; layout and comments make no difference.
 */
export const sameBranches: Rule.RuleModule = {
  meta: { type: 'problem', schema: [], messages: { same: 'All branches are the same: what was to be decided here?' } },
  create(context) {
    type Node = Parameters<typeof context.sourceCode.getTokens>[0];
    const codeOf = (node: Node): string[] => context.sourceCode.getTokens(node).map(({ value }) => value);
    const check = (node: Node, branches: readonly (readonly Node[])[]): void => {
      const [first, ...others] = branches.map((nodes) => JSON.stringify(nodes.flatMap(codeOf)));
      if (others.every((text) => text === first)) context.report({ node, messageId: 'same' });
    };
    return {
      ConditionalExpression(node) {
        check(node, [[node.consequent], [node.alternate]]);
      },
      IfStatement(node) {
        const isElseIf = node.parent.type === 'IfStatement' && node.parent.alternate === node;
        const branches: Node[][] = [];
        let last: Node | null | undefined = node;
        for (; last?.type === 'IfStatement'; last = last.alternate) branches.push([last.consequent]);
        if (last && !isElseIf) check(node, [...branches, [last]]);
      },
      SwitchStatement(node) {
        const bodies = node.cases.map(({ consequent }) => consequent).filter((body) => body.length > 0);
        if (bodies.length > 1 && node.cases.some(({ test }) => !test)) check(node, bodies);
      },
    };
  },
};
