/** `turnwire/agent`: all of `@turnwire/agent`. */
export * from '@turnwire/agent';
