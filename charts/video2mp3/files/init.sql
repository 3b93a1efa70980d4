-- The schema of the auth database, for MySQL 8.4 and later, and MariaDB: the only place that creates its tables.
--
-- It holds no rows: no account, no password, no key. Accounts are made by `video2mp3-auth create-account`, the first
-- signing key by the auth service itself. Run it in the database that AUTH_DATABASE_URL names:
--
--     mysql --host=HOST --user=USER --password auth < init.sql
--
-- The official images run it in MYSQL_DATABASE on their first start. Running it again changes nothing.

-- Whoever may log in. The email address, normalised by the service (NFC, lower case), is the account's id everywhere.
CREATE TABLE IF NOT EXISTS accounts (
    -- Compared byte by byte: the default collations take "jose" and "josé" for one account.
    email         VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- argon2id in the PHC string format, with its parameters and salt.
    password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- All times are UTC.
    created_at    DATETIME(6) NOT NULL,
    -- Since when the account may not log in; NULL while it may.
    disabled_at   DATETIME(6) NULL,
    PRIMARY KEY (email)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4;

-- The keys that sign tokens. Which one signs and which are published follows from `activates_at` alone.
CREATE TABLE IF NOT EXISTS signing_keys (
    -- Counts up from 1. As the primary key it lets only one of several replicas add the next key.
    generation            INT UNSIGNED NOT NULL,
    -- The public key's JWK thumbprint (RFC 7638).
    kid                   CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- The private key (PKCS #8), encrypted with AUTH_KEY_ENCRYPTION_KEY (Fernet).
    encrypted_private_key VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at            DATETIME(6) NOT NULL,
    -- When it starts to sign; it is published from the moment it is stored.
    activates_at          DATETIME(6) NOT NULL,
    PRIMARY KEY (generation),
    UNIQUE KEY signing_keys_kid (kid)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4;

-- How often logins were rejected, for each account and for each account in each network; only the service writes here.
CREATE TABLE IF NOT EXISTS login_tallies (
    -- SHA-256 of the account's address, or of it and the network, in hexadecimal: one size, whatever somebody calls an account.
    id             CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    rejected       INT UNSIGNED NOT NULL,
    window_ends_at DATETIME(6) NOT NULL,
    -- Until when this network is one where the account's owner was seen.
    known_until    DATETIME(6) NULL,
    -- Then the row says nothing any more, and a later login removes it.
    expires_at     DATETIME(6) NOT NULL,
    PRIMARY KEY (id),
    KEY login_tallies_expires_at (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4;
