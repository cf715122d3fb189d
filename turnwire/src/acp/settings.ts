import {
  RequestError,
  type SessionConfigOption,
  type SessionConfigSelectOption,
  type SessionModeState,
} from '@agentclientprotocol/sdk';
import type { Agent, ModelPort, OpenedAgent, RequestOptions } from '@turnwire/agent';
import { visible } from '@turnwire/wire/internal/base/printable';
import { defaultMode, isModeId, modes, modeState, type ModeId } from './modes.ts';

/** The model server that sessions talk to. */
export interface AcpModel {
  readonly port: ModelPort;
  /** Environment of the model's commands, which has no key of the server in it. Default: a bare `PATH`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Its own default, where the configuration names one. */
  readonly model?: string | undefined;
  /** In tokens. */
  readonly contextWindow?: number | undefined;
  /** What the person should know of how it was found, one line each. Default: nothing. */
  readonly notes?: readonly string[] | undefined;
  /** Said at the beginning of a session's first answer: that no model gives it, say. */
  readonly warning?: string | undefined;
  /** Asks the server what it has; none where it has no list. May fail, and takes as long as the server does. */
  readonly models?: (() => Promise<readonly ListedModel[]>) | undefined;
}

/** A model that a server lists. */
export interface ListedModel {
  readonly id: string;
  /** In tokens; absent where the server does not tell. */
  readonly contextWindow?: number;
}

type SelectOption = Extract<SessionConfigOption, { type: 'select' }> & {
  readonly options: SessionConfigSelectOption[];
};

/** Value of an option that leaves the choice to the server. */
const SERVERS_OWN = 'default';
/** What servers take as `reasoning.effort`, from the least on. */
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;

/** What a person may set in a session: mode, model, effort. */
export class SessionSettings {
  readonly #opened: OpenedAgent;
  readonly #server: AcpModel;
  #listed: readonly ListedModel[] = [];
  #mode: ModeId = defaultMode;

  constructor(opened: OpenedAgent, server: AcpModel) {
    this.#opened = opened;
    this.#server = server;
    this.setMode(defaultMode);
  }

  get modeState(): SessionModeState {
    return modeState(this.#mode);
  }

  get mode(): ModeId {
    return this.#mode;
  }

  /** Approvals count at once, tools from the next prompt on. Fails with a `RequestError` for a mode that is none. */
  setMode(mode: string): void {
    if (!isModeId(mode)) throw RequestError.invalidParams(undefined, `there is no mode "${mode}"`);
    this.#mode = mode;
    this.#agent.approvals = modes[mode].approvals;
    this.#opened.select(modes[mode].tools);
  }

  /** The server has told its models. */
  setListed(models: readonly ListedModel[]): void {
    this.#listed = models;
    this.#agent.contextWindow = this.#windowOf(this.#model);
  }

  get options(): SelectOption[] {
    const effort = this.#agent.request.reasoning?.effort ?? SERVERS_OWN;
    const mode = { id: 'mode', name: 'Mode', category: 'mode', currentValue: this.#mode };
    const model = { id: 'model', name: 'Model', category: 'model', currentValue: this.#model ?? SERVERS_OWN };
    const thought = { id: 'effort', name: 'Effort', category: 'thought_level', currentValue: effort };
    return [
      {
        type: 'select',
        ...mode,
        options: this.modeState.availableModes.map(({ id, ...rest }) => ({ value: id, ...rest })),
      },
      { type: 'select', ...model, options: this.#modelNames.map(choiceOf) },
      { type: 'select', ...thought, options: [...new Set([SERVERS_OWN, effort, ...EFFORTS])].map(choiceOf) },
    ];
  }

  /** From the next prompt on. Fails with a `RequestError` for an option or a value that is none. */
  set(id: string, value: unknown): void {
    const option = this.options.find((one) => one.id === id);
    if (option === undefined) throw RequestError.invalidParams(undefined, `there is no option "${id}"`);
    if (typeof value !== 'string' || !option.options.some((one) => one.value === value))
      throw RequestError.invalidParams(undefined, `the option "${id}" has no such value`);
    if (id === 'mode') this.setMode(value);
    else if (id === 'model') this.#setModel(value === SERVERS_OWN ? undefined : value);
    else this.#setEffort(value === SERVERS_OWN ? undefined : value);
  }

  #setModel(model: string | undefined): void {
    const request: { model?: string } & RequestOptions = { ...this.#agent.request };
    delete request.model;
    this.#agent.request = model === undefined ? request : { ...request, model };
    this.#agent.contextWindow = this.#windowOf(this.#model);
  }

  #setEffort(effort: string | undefined): void {
    const request: { reasoning?: RequestOptions['reasoning'] } & RequestOptions = { ...this.#agent.request };
    const { summary } = request.reasoning ?? {};
    delete request.reasoning;
    const reasoning = { ...(summary === undefined ? {} : { summary }), ...(effort === undefined ? {} : { effort }) };
    this.#agent.request = Object.keys(reasoning).length === 0 ? request : { ...request, reasoning };
  }

  get #agent(): Agent {
    return this.#opened.agent;
  }

  get #model(): string | undefined {
    return this.#agent.request.model ?? this.#server.model;
  }

  get #modelNames(): readonly string[] {
    return [
      ...new Set([this.#server.model ?? SERVERS_OWN, this.#model ?? SERVERS_OWN, ...this.#listed.map(({ id }) => id)]),
    ];
  }

  #windowOf(model: string | undefined): number | undefined {
    const listed = this.#listed.find(({ id }) => id === model)?.contextWindow;
    return listed ?? (model === undefined || model === this.#server.model ? this.#server.contextWindow : undefined);
  }
}

function choiceOf(value: string): SessionConfigSelectOption {
  return { value, name: value === SERVERS_OWN ? "The server's own" : visible(value) };
}
