/** `turnwire/telemetry`: all of `@turnwire/client/telemetry`. */
export * from '@turnwire/client/telemetry';
