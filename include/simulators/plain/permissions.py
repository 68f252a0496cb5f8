"""Which permission a field needs. A key that lacks one is refused the whole request."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)

_QUERIES = {
    **dict.fromkeys(("threads", "thread", "threadByRef", "threadByExternalId"), "thread:read"),
    **dict.fromkeys(("threadsByExternalId", "deletedThreads"), "thread:read"),
    **dict.fromkeys(("timelineEntries", "timelineEntry"), "timeline:read"),
    **dict.fromkeys(("customers", "customer", "customerByEmail", "customerByExternalId"), "customer:read"),
    **dict.fromkeys(("companies", "company"), "company:read"),
    **dict.fromkeys(("tenants", "tenant"), "tenant:read"),
    **dict.fromkeys(("tiers", "tier"), "tier:read"),
    **dict.fromkeys(("users", "user", "userByEmail"), "user:read"),
    **dict.fromkeys(("machineUsers", "machineUser"), "machineUser:read"),
    **dict.fromkeys(("labelTypes", "labelType"), "labelType:read"),
    **dict.fromkeys(("threadFieldSchemas", "threadFieldSchema"), "threadFieldSchema:read"),
    **dict.fromkeys(("customerSurveys", "customerSurvey"), "customerSurvey:read"),
    "myWorkspace": "workspace:read",
}
# Types whose every appearance inside another object needs a permission.
_TYPES = {
    "TimelineEntryConnection": "timeline:read",
    "User": "user:read",
    "ThreadAssignee": "user:read",
    "MachineUser": "machineUser:read",
    "Label": "label:read",
    "LabelType": "labelType:read",
    "ThreadField": "threadField:read",
    "Company": "company:read",
    "Tenant": "tenant:read",
    "Tier": "tier:read",
    "Customer": "customer:read",
    "ServiceLevelAgreementStatusSummary": "serviceLevelAgreement:read",
}
ALL_PERMISSIONS: tuple[str, ...] = tuple(sorted({*_QUERIES.values(), *_TYPES.values()}))

Missing = tuple[str, tuple[str, ...]]  # a permission, and the path of the field that needs it


class _Collector(Visitor):
    def __init__(self, types: TypeInfo, granted: frozenset[str]) -> None:
        super().__init__()
        self._types, self._granted = types, granted
        self._path: list[str] = []
        self.missing: dict[str, tuple[str, ...]] = {}

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self._path.append((node.alias or node.name).value)
        parent, definition = self._types.get_parent_type(), self._types.get_field_def()
        if parent is None or definition is None or node.name.value.startswith("__"):
            return
        if parent.name == "Query":
            needed = _QUERIES.get(node.name.value)
        elif parent.name.endswith(("Edge", "Connection")):
            needed = None  # what a connection holds was checked where it was asked for
        else:
            needed = _TYPES.get(get_named_type(definition.type).name)
        if needed is not None and needed not in self._granted:
            self.missing.setdefault(needed, tuple(self._path))

    def leave_field(self, *_: object) -> None:
        self._path.pop()


def missing_permissions(schema: GraphQLSchema, document: DocumentNode, granted: frozenset[str]) -> list[Missing]:
    types = TypeInfo(schema)
    collector = _Collector(types, granted)
    visit(document, TypeInfoVisitor(types, collector))
    return list(collector.missing.items())
