// An identity provider (oidc-provider, certified for OpenID Connect) with three people. Prints its
// issuer and runs until its standard input ends. Whoever types a name is that person.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const GROUPS = { ada: ["environment-desk", "staff"], boss: ["city-admins"], mallory: ["staff"] };

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "citybrain",
        client_secret: "a secret between two machines",
        redirect_uris: ["http://127.0.0.1:1/login"],
      },
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email", "email_verified"] },
    // The groups are read from the ID token.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id[0].toUpperCase()}${id.slice(1)} of the City`,
        preferred_username: id,
        email: `${id}@city.example`,
        email_verified: true,
        groups: GROUPS[id] ?? [],
      }),
    }),
    features: { devInteractions: { enabled: true } },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
  });
  // The program's port is not known before it runs.
  provider.Client.prototype.redirectUriAllowed = (uri) => /^http:\/\/127\.0\.0\.1:\d+\/login$/.test(uri);
  server.on("request", provider.callback());
  console.log(issuer);
});

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
