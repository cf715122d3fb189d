import { parseJson } from '../base/json.ts';
import type { RequestView } from './request-view.ts';
import type { ReplyPart, Scenario } from './scenario.ts';

const CALL = /^\/call\s+(\S+)\s*(.*)$/s;

/**
 * What the mock says when it is given no script: that it is scripted, and what it was told. A message
 * `/call NAME {…}` makes it call that tool, so that a client can be tried out by hand.
 */
export const defaultScenario: Scenario = {
  name: 'default',
  model: 'scripted',
  turns: [{ replies: [{ parts: answer }, { parts: afterTools }, { parts: afterTools }] }],
};

function answer(request: RequestView): readonly ReplyPart[] {
  const call = CALL.exec(request.lastUserText.trim());
  if (call !== null && request.rounds === 0) {
    return [{ type: 'tool_call', name: call[1] ?? '', arguments: parseJson(call[2] ?? '') ?? {} }];
  }
  const told = request.lastUserText.trim();
  return [
    { type: 'text', text: `This is a scripted answer: no model was asked.${told === '' ? '' : ` You said: ${told}`}` },
  ];
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
