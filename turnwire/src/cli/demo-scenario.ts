import { defaultScenario, type ReplyPart, type RequestView, type Scenario, type Turn } from '@turnwire/testing';

const FILE = 'turnwire-demo.md';

const PATCH = `*** Begin Patch
*** Add File: ${FILE}
+# turnwire was here
+
+This file was written by a scripted model through apply_patch, after a yes of yours.
+Delete it whenever you like.
*** End Patch`;

/** A first message that tells the script what to do (`/call …`) is not a wish for the tour. */
function wantsTour(request: RequestView): boolean {
  return request.userTurns <= 1 && !request.lastUserText.trim().startsWith('/');
}

/**
 * What a newcomer sees in a minute, without a key: reasoning, text, a tool that needs no approval, one that does, a
 * patch, and a server with a fault on which others hang.
 */
const tour: Turn = {
  when: { tool: 'apply_patch', request: wantsTour },
  replies: [
    {
      paceMs: 15,
      parts: [
        {
          type: 'reasoning',
          text: 'Nobody has told me what to do yet, so I show what this program does: look, ask, act.',
        },
        {
          type: 'text',
          text: 'Hello! I am a **script**, not a model: no key, no network. I look around first; reading in this folder needs no approval.\n',
        },
        { type: 'tool_call', name: 'list_dir', arguments: { path: '.' } },
      ],
    },
    {
      paceMs: 15,
      parts: [
        { type: 'text', text: 'Now a command that is not on the read-only list, so I have to ask:\n' },
        { type: 'tool_call', name: 'shell', arguments: { command: 'uptime; echo "run by turnwire"' } },
      ],
    },
    {
      paceMs: 15,
      parts: [
        { type: 'text', text: 'And a patch. You see the diff before anything is written:\n' },
        { type: 'tool_call', name: 'apply_patch', arguments: { input: PATCH } },
      ],
    },
    { paceMs: 15, parts: farewell, faults: ['finish-then-hold'] },
  ],
};

function farewell(request: RequestView): readonly ReplyPart[] {
  const written = request.toolOutputs.at(-1)?.text.startsWith('applied') === true;
  const file = written ? `\`${FILE}\` is written.` : 'Nothing was written, as you wished.';
  return [
    {
      type: 'text',
      text: `${file}

The server of this last answer has a fault that many have: it says that it has finished, and never closes the stream. Clients that wait for \`[DONE]\` or for the end hang there. turnwire ends where the model ended:

\`\`\`json
{"type":"completed","ended_by":"finish_reason"}
\`\`\`

To talk to a real model: \`turnwire --base-url http://127.0.0.1:8080/v1 --wire chat --model NAME\`.`,
    },
  ];
}

/** The script of the embedded provider: the tour for whoever offers tools, else that it is a script. */
export const demoScenario: Scenario = {
  ...defaultScenario,
  name: 'demo',
  turns: [tour, ...defaultScenario.turns],
};
