import { parseJson } from '@turnwire/wire/internal/base/json';
import type { RequestView } from './request-view.ts';
import type { ReplyPart, Scenario } from './scenario.ts';

/** Where a line begins that tells the mock what to do; it runs to the next such line. */
const DIRECTIVES = /^(?=\/(?:call|think|say)\s)/m;

const CALL = /^\/call\s+(\S+)\s*(.*)$/s;

/**
 * What the mock says when it is given no script: that it is scripted, and what the message said. Lines of a message
 * are instructions to it, so that a client can be tried out by hand: `/think TEXT` reasons, `/say TEXT` says exactly
 * that, `/call NAME {…}` calls a tool; several of them are done in their order.
 */
export const defaultScenario: Scenario = {
  name: 'default',
  model: 'scripted',
  turns: [{ replies: [{ parts: answer }, { parts: afterTools }, { parts: afterTools }] }],
};

function answer(request: RequestView): readonly ReplyPart[] {
  const told = request.lastUserText.trim();
  const directed = told.split(DIRECTIVES).flatMap(parseDirective);
  if (directed.length > 0 && request.rounds === 0) return directed;
  return [
    { type: 'text', text: `This is a scripted answer: no model was asked.${told === '' ? '' : ` You said: ${told}`}` },
  ];
}

function parseDirective(directive: string): ReplyPart[] {
  const text = directive.trim();
  if (text.startsWith('/say')) return [{ type: 'text', text: text.slice(4).trim() }];
  if (text.startsWith('/think')) return [{ type: 'reasoning', text: text.slice(6).trim() }];
  const call = CALL.exec(text);
  return call === null ? [] : [{ type: 'tool_call', name: call[1] ?? '', arguments: parseJson(call[2] ?? '') ?? {} }];
}

function afterTools(request: RequestView): readonly ReplyPart[] {
  const outputs = request.toolOutputs.map((output) => output.text).join('\n');
  return [{ type: 'text', text: `This is a scripted answer: no model was asked. The tool said: ${outputs}` }];
}

/** The scenarios that can be named instead of written: each shows one shape of a turn. */
export const namedScenarios: Readonly<Record<string, Scenario>> = {
  default: defaultScenario,
  text: { name: 'text', turns: [{ replies: [{ parts: [{ type: 'text', text: 'Hello from the scripted model.' }] }] }] },
  reasoning: {
    name: 'reasoning',
    turns: [
      {
        replies: [
          {
            parts: [
              { type: 'reasoning', text: 'The user greets; a greeting is due.' },
              { type: 'text', text: 'Hello, after some thought.' },
            ],
          },
        ],
      },
    ],
  },
  'tool-call': {
    name: 'tool-call',
    turns: [
      {
        replies: [
          { parts: [{ type: 'tool_call', name: 'read_file', arguments: { path: 'notes.txt' } }] },
          { parts: [{ type: 'text', text: 'The file was read.' }] },
        ],
      },
    ],
  },
  'parallel-calls': {
    name: 'parallel-calls',
    turns: [
      {
        replies: [
          {
            parts: [
              { type: 'text', text: 'Two things to look up.' },
              { type: 'tool_call', name: 'read_file', arguments: { path: 'notes.txt' } },
              { type: 'tool_call', name: 'get_time', arguments: { zone: 'UTC' } },
            ],
          },
          { parts: [{ type: 'text', text: 'Both answers are in.' }] },
        ],
      },
    ],
  },
};
