import type { ProviderConfig } from '@turnwire/client/internal/provider/provider';
import { quoteArgv } from '@turnwire/client/internal/platform/quote-argv';
import { providersIn, type ConfigFile } from './config-file.ts';
import { mcpServersIn, type McpTable } from './mcp-servers.ts';

/** A question that does not fit on a screen hides what it asks about. */
const MAX_CHARS = 4000;
const MAX_LINES = 60;
const MAX_NAMED = 3;

/**
 * Everything that a project's file would do, for the person who decides, or `undefined` when it is too much to be read.
 * Nothing is cut: what is cut could be what matters. Every text of the file is quoted as in a shell, so that
 * nothing in it is invisible or reads like a line of ours.
 *
 * @throws UsageError for a file that cannot be used
 */
export function describeProjectFile(file: ConfigFile): string | undefined {
  const { providers, modelProvider } = providersIn(file);
  const lines = [
    ...[...providers].flatMap(([name, provider]) => providerLines(name, provider, name === modelProvider)),
    ...(modelProvider === undefined || providers.has(modelProvider)
      ? []
      : [`talk to the model server ${quoted(modelProvider)} by default`]),
    ...mcpServersIn(file).flatMap(serverLines),
  ];
  const text = lines.map((line) => `  ${line}\n`).join('');
  return lines.length > MAX_LINES || text.length > MAX_CHARS ? undefined : text;
}

function providerLines(name: string, provider: ProviderConfig, isDefault: boolean): string[] {
  const { baseUrl, wireApi, model, envKey, envHttpHeaders, httpHeaders, queryParams } = provider;
  return [
    `send prompts and files to the model server ${quoted(name)}${isDefault ? ', by default' : ''}`,
    `    at ${shownUrl(baseUrl)} (${wireApi}${model === undefined ? '' : `, model ${quoted(model)}`})`,
    ...(envKey === undefined ? [] : [`    with the value of your variable ${quoted(envKey)} as the key`]),
    ...headerLines(envHttpHeaders, httpHeaders),
    ...Object.keys(queryParams).map((key) => `    with the query parameter ${quoted(key)} of the file`),
  ];
}

type Strings = Readonly<Record<string, string>>;

function headerLines(ofVariables: Strings, ofFile: Strings): string[] {
  return [
    ...Object.entries(ofVariables).map(
      ([header, variable]) => `    with the value of your variable ${quoted(variable)} in the header ${quoted(header)}`,
    ),
    ...Object.keys(ofFile).map((header) => `    with the header ${quoted(header)} of the file`),
  ];
}

function serverLines(server: McpTable): string[] {
  if ('url' in server) {
    const { name, url, bearerVariable, envHeaders, headers } = server;
    return [
      `send the arguments of tools to the MCP server ${quoted(name)}`,
      `    at ${shownUrl(url)}`,
      ...(bearerVariable === undefined
        ? []
        : [`    with the value of your variable ${quoted(bearerVariable)} as the key`]),
      ...headerLines(envHeaders, headers),
    ];
  }
  const { name, command, args, env, cwd } = server;
  return [
    `start the program of the MCP server ${quoted(name)}`,
    `    ${quoteArgv([command, ...(args ?? [])])}`,
    ...(cwd === undefined ? [] : [`    in ${quoted(cwd)}`]),
    ...Object.entries(env ?? {}).map(([key, value]) => `    with ${quoted(`${key}=${value}`)} in its environment`),
  ];
}

/**
 * What a project's file names, in a few words: `the model server local (http://…) and the MCP server files`.
 *
 * @throws as {@link describeProjectFile}
 */
export function summariseProjectFile(file: ConfigFile): string {
  const { providers, modelProvider } = providersIn(file);
  const models = [...providers].map(([name, { baseUrl }]) => `${quoted(name)} (${shownUrl(baseUrl)})`);
  const named = models.length === 0 && modelProvider !== undefined ? [quoted(modelProvider)] : models;
  const servers = mcpServersIn(file).map(({ name }) => quoted(name));
  return [...counted('model server', named), ...counted('MCP server', servers)].join(' and ') || 'nothing to use';
}

function counted(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > MAX_NAMED ? [`${names.length - MAX_NAMED} more`] : [];
  return [`the ${what}${names.length === 1 ? '' : 's'} ${[...names.slice(0, MAX_NAMED), ...more].join(', ')}`];
}

const quoted = (text: string): string => quoteArgv([text]);

/** As it is connected to: `URL` writes what is not ASCII in a form that cannot be taken for another host. */
const shownUrl = (url: string): string => new URL(url).href;
