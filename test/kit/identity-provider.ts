// An identity provider on loopback: publishes keys over HTTP as a real one does, and signs tokens of any kind.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

/** How the keys are answered. */
type Manner = "well" | "broken" | "elsewhere";

export class IdentityProvider {
  /** Key ids that are published; a test changes the list to rotate. */
  published: string[] = ["one"];
  manner: Manner = "well";
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  readonly issuer: string;
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly #server: Server;
  readonly #keys: ReadonlyMap<string, Keys>;
  readonly #jwks: ReadonlyMap<string, JWK>;

  private constructor(server: Server, keys: ReadonlyMap<string, Keys>, jwks: ReadonlyMap<string, JWK>) {
    this.#server = server;
    this.#keys = keys;
    this.#jwks = jwks;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.issuer = `http://${this.host}`;
    server.on("request", (request, response) => {
      const path = request.url ?? "";
      this.asked.push(path);
      if (this.manner === "elsewhere" && path === "/keys") {
        response.writeHead(302, { location: `${this.issuer}/elsewhere` }).end();
        return;
      }
      if (this.manner === "broken") {
        response.writeHead(500).end("<html>");
        return;
      }
      const published = this.published.map((kid) => ({ ...this.#jwks.get(kid), kid }));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: published }));
    });
  }

  static async start(): Promise<IdentityProvider> {
    const names = ["one", "two", "never-published"];
    const keys = new Map(await Promise.all(names.map(async (kid) => [kid, await generateKeyPair("RS256")] as const)));
    const jwks = new Map(
      await Promise.all([...keys].map(async ([kid, { publicKey }]) => [kid, await exportJWK(publicKey)] as const)),
    );
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new IdentityProvider(server, keys, jwks);
  }

  publicKey(kid: string): JWK | undefined {
    return this.#jwks.get(kid);
  }

  /** A token signed with a key of the provider; `header` and `payload` change what it says. */
  sign(payload: Readonly<Record<string, unknown>>, kid = "one", header: Readonly<Record<string, unknown>> = {}) {
    const key = this.#keys.get(kid)?.privateKey;
    if (key === undefined) throw new Error(`no key ${kid}`);
    return new SignJWT({ ...payload }).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(key);
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
