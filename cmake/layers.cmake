# The one list of allowed edges: a layer may include and link the layers named behind it, and nothing else.
# scripts/layers.py reads this file too, and refuses an #include that it does not allow.
# Lowest first; layers of one row of docs/architecture.md never see each other.
set(PGSLUICE_LAYERS base net config wire auth metrics insight sql protocol policy routing pool session http admin importer daemon)

set(PGSLUICE_DEPENDS_base     "")
set(PGSLUICE_DEPENDS_net      base)
set(PGSLUICE_DEPENDS_config   base)
set(PGSLUICE_DEPENDS_wire     base)
set(PGSLUICE_DEPENDS_auth     base config wire)
set(PGSLUICE_DEPENDS_metrics  base)
set(PGSLUICE_DEPENDS_insight  base)
set(PGSLUICE_DEPENDS_protocol base config wire auth)
set(PGSLUICE_DEPENDS_policy   base config wire sql)
set(PGSLUICE_DEPENDS_sql      base)
set(PGSLUICE_DEPENDS_routing  base config)
set(PGSLUICE_DEPENDS_pool     base config wire auth metrics protocol)
set(PGSLUICE_DEPENDS_session  base config wire auth metrics protocol policy sql routing pool)
set(PGSLUICE_DEPENDS_http     base net config metrics)
set(PGSLUICE_DEPENDS_admin    base config wire metrics insight)
set(PGSLUICE_DEPENDS_importer base config)
set(PGSLUICE_DEPENDS_daemon   base net config wire auth metrics insight protocol policy sql routing pool session http admin importer)
