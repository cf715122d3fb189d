import { Agent, ThreadStore } from '../../packages/agent/src/index.ts';
import { eventsOf } from './helpers.ts';
import { answer, ScriptedModel } from './scripted-model.ts';

// Goes on with a thread, says so on stdout, and keeps it until stdin ends.
const [folder = '', id = ''] = process.argv.slice(2);
const store = new ThreadStore(folder);
const thread = await store.resume(id);
const agent = new Agent({ model: new ScriptedModel(answer('from the other process')), thread });
await eventsOf(agent.run('mine'));
process.stdout.write('open\n');
process.stdin.resume().on('end', () => void thread.release());
